#include "sink/poison_watch.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

Batch lines(std::uint64_t first, std::uint64_t count) { return {"", count, first}; }

// How many failures of `batch` it takes.
int failures_until_suspected(PoisonWatch& watch, const Batch& batch) {
  int failures = 0;
  for (; !watch.suspects(batch); ++failures) watch.failed(batch);
  return failures;
}

TEST(PoisonWatch, SuspectsABatchThatFailsFiveTimes) {
  PoisonWatch watch;
  EXPECT_EQ(failures_until_suspected(watch, lines(100, 50)), 5);
}

TEST(PoisonWatch, ForgetsTheFailuresOfOtherBatches) {
  PoisonWatch watch;
  for (int i = 0; i < 4; ++i) watch.failed(lines(100, 50));
  watch.failed(lines(100, 25));
  EXPECT_FALSE(watch.suspects(lines(100, 25)));
  EXPECT_EQ(failures_until_suspected(watch, lines(100, 50)), 5);
}

TEST(PoisonWatch, BeginsAnewAfterForgiving) {
  PoisonWatch watch;
  EXPECT_EQ(failures_until_suspected(watch, lines(100, 50)), 5);
  watch.forgive();
  EXPECT_EQ(failures_until_suspected(watch, lines(100, 50)), 5);
}

TEST(PoisonWatch, SuspectsThePartsOfACondemnedBatchSooner) {
  PoisonWatch watch;
  watch.condemn(lines(100, 50));
  EXPECT_EQ(failures_until_suspected(watch, lines(100, 25)), 2);
  watch.condemn(lines(100, 25));
  EXPECT_EQ(failures_until_suspected(watch, lines(112, 13)), 2);
  EXPECT_EQ(failures_until_suspected(watch, lines(125, 25)), 2);
  EXPECT_EQ(failures_until_suspected(watch, lines(150, 50)), 5);
}

}  // namespace
}  // namespace virtmeter
