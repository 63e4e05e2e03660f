#include "sampler/beat.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr BootTime kStart{seconds(100)};

TEST(Beat, StartsAtOnceAndKeepsTheInterval) {
  Beat beat(kStart, seconds(5));
  EXPECT_EQ(beat.next(), kStart);
  beat.finished(kStart + milliseconds(40));
  EXPECT_EQ(beat.next(), kStart + seconds(5));
  beat.finished(kStart + seconds(5) + milliseconds(900));
  EXPECT_EQ(beat.next(), kStart + seconds(10));
  EXPECT_EQ(beat.missed(), 0u);
}

TEST(Beat, LeavesOutTheBeatsThatACycleRanOver) {
  Beat beat(kStart, seconds(5));
  beat.finished(kStart + seconds(12));
  EXPECT_EQ(beat.next(), kStart + seconds(15)) << "on the old grid, not 12 + 5";
  EXPECT_EQ(beat.missed(), 2u);
}

TEST(Beat, KeepsTheBeatThatIsDueRightNow) {
  Beat beat(kStart, seconds(5));
  beat.finished(kStart + seconds(5));
  EXPECT_EQ(beat.next(), kStart + seconds(5));
  EXPECT_EQ(beat.missed(), 0u);
  beat.finished(kStart + seconds(20));
  EXPECT_EQ(beat.next(), kStart + seconds(20));
  EXPECT_EQ(beat.missed(), 2u);
}

TEST(Beat, DoesNotDriftOverManyCycles) {
  Beat beat(kStart, milliseconds(500));
  for (int i = 0; i < 100'000; ++i) beat.finished(beat.next() + milliseconds(123));
  EXPECT_EQ(beat.next(), kStart + seconds(50'000));
}

}  // namespace
}  // namespace virtmeter
