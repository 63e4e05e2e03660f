#include "base/clock.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::seconds;

TEST(WallTime, RoundsToTheNearestMillisecond) {
  const auto check = [](std::int64_t input, std::int64_t want) {
    EXPECT_EQ(rounded_to_millisecond({input}).unix_ns, want) << input;
  };
  check(0, 0);
  check(499'999, 0);
  check(500'000, 1'000'000);
  check(1'700'000'000'123'456'789, 1'700'000'000'123'000'000);
  check(1'700'000'000'999'999'999, 1'700'000'001'000'000'000);
  check(-1'600'000, -2'000'000);
}

TEST(SystemClock, MovesForwardAndAgreesWithTheCalendar) {
  const SystemClock clock;
  const BootTime first = clock.boot_now();
  EXPECT_LE(first, clock.boot_now());
  EXPECT_GT(clock.wall_now().unix_ns, 1'600'000'000'000'000'000);
}

TEST(MonotonicUs, IsTheClockThatStandsStillInSuspend) {
  const SystemClock clock;
  const std::uint64_t first = monotonic_us();
  EXPECT_GT(first, 0u);
  const auto boot_us = std::chrono::duration_cast<std::chrono::microseconds>(clock.boot_now().since_boot);
  EXPECT_LE(first, static_cast<std::uint64_t>(boot_us.count()) + 1);
}

TEST(SystemClock, ReturnsAtOnceFromAWaitInThePast) {
  const SystemClock clock;
  Mutex mutex;
  Condition condition;
  const MutexLock lock(mutex);
  clock.wait_until(condition, mutex, {clock.boot_now().since_boot - seconds(1)});
}

TEST(ManualClock, MovesToTheDeadlineOfAWait) {
  ManualClock clock;
  Mutex mutex;
  Condition condition;
  const BootTime start = clock.boot_now();
  const WallTime wall = clock.wall_now();
  const MutexLock lock(mutex);
  clock.wait_until(condition, mutex, start + seconds(5));
  EXPECT_EQ(clock.boot_now() - start, seconds(5));
  EXPECT_EQ(clock.wall_now().unix_ns - wall.unix_ns, 5'000'000'000);
}

TEST(ManualClock, StepsTheWallClockAlone) {
  ManualClock clock;
  const BootTime boot = clock.boot_now();
  clock.step_wall(seconds(-3600));
  EXPECT_EQ(clock.boot_now(), boot);
}

}  // namespace
}  // namespace virtmeter
