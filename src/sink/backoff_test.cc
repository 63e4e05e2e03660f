#include "sink/backoff.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

Backoff seeded(std::uint32_t seed) {
  BackoffOptions options;
  options.seed = seed;
  return Backoff(options);
}

TEST(Backoff, DoublesItsBoundFromOneSecondToSixty) {
  Backoff backoff = seeded(1);
  for (const int want : {1, 2, 4, 8, 16, 32, 60, 60, 60}) {
    EXPECT_EQ(backoff.bound(), seconds(want));
    EXPECT_LE(backoff.next(std::nullopt), seconds(want));
  }
  for (int i = 0; i < 1000; ++i) EXPECT_LE(backoff.next(std::nullopt), seconds(60));
  backoff.reset();
  EXPECT_EQ(backoff.bound(), seconds(1));
}

TEST(Backoff, SpreadsOverTheWholeRange) {
  Backoff backoff = seeded(7);
  nanoseconds least = seconds(60);
  nanoseconds most{0};
  for (int i = 0; i < 200; ++i) {
    backoff.reset();
    const nanoseconds wait = backoff.next(std::nullopt);
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_LT(least, std::chrono::milliseconds(100));
  EXPECT_GT(most, std::chrono::milliseconds(900));
}

TEST(Backoff, WaitsAsLongAsTheServerAsksButNoLongerThanTenMinutes) {
  Backoff backoff = seeded(1);
  EXPECT_EQ(backoff.next(seconds(120)), seconds(120));
  EXPECT_EQ(backoff.next(seconds(86400)), seconds(600));
  EXPECT_LE(backoff.next(seconds(0)), seconds(4));
}

}  // namespace
}  // namespace virtmeter
