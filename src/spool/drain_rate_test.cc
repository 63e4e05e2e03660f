#include "spool/drain_rate.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

BootTime at(std::chrono::nanoseconds since_boot) { return {since_boot}; }

TEST(LineRate, MeasuresOverTenSeconds) {
  LineRate rate;
  for (int i = 0; i <= 2; ++i) rate.note(500, at(seconds(5 * i)));
  EXPECT_EQ(rate.lines_per_sec(), 100u);
}

TEST(TokenBucket, LetsOneBurstPassAndThenTheRate) {
  TokenBucket bucket(100);
  bucket.refill(50, at(seconds(0)));
  ASSERT_TRUE(bucket.ready());
  bucket.spend(150);
  EXPECT_FALSE(bucket.ready());
  EXPECT_NEAR(static_cast<double>(bucket.ready_at().since_boot.count()), 1.02e9, 1e7);
  bucket.refill(50, at(seconds(1)));
  EXPECT_FALSE(bucket.ready());
  bucket.refill(50, bucket.ready_at());
  EXPECT_TRUE(bucket.ready());
}

TEST(TokenBucket, HoldsNoMoreThanABurst) {
  TokenBucket bucket(100);
  bucket.refill(1000, at(seconds(0)));
  bucket.refill(1000, at(seconds(1000)));
  bucket.spend(100);
  EXPECT_FALSE(bucket.ready());
}

TEST(TokenBucket, FillsFromSmallSteps) {
  TokenBucket bucket(10);
  bucket.refill(1, at(seconds(0)));
  bucket.spend(10);
  for (int i = 1; i <= 30; ++i) bucket.refill(1, at(milliseconds(100 * i)));
  EXPECT_TRUE(bucket.ready());
  bucket.spend(4);
  EXPECT_FALSE(bucket.ready());
}

}  // namespace
}  // namespace virtmeter
