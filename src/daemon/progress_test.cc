#include "daemon/progress.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::seconds;

std::string names_of(const std::vector<Progress::Stalled>& stalled) {
  std::string names;
  for (const Progress::Stalled& part : stalled) names += part.part + ";";
  return names;
}

TEST(Progress, NamesEachPartThatStandsStillForTooLong) {
  ManualClock clock;
  Progress progress(clock);
  Pulse collector(clock.boot_now());
  Pulse delivery(clock.boot_now());
  progress.watch("collector", seconds(10), [&] { return collector.last(); });
  progress.watch("delivery", seconds(20), [&] { return delivery.last(); });
  clock.advance(seconds(10));
  EXPECT_EQ(names_of(progress.stalled()), "");
  clock.advance(seconds(1));
  EXPECT_EQ(names_of(progress.stalled()), "collector;");
  EXPECT_EQ(progress.stalled()[0].still, seconds(11));
  clock.advance(seconds(10));
  EXPECT_EQ(names_of(progress.stalled()), "collector;delivery;");
}

TEST(Progress, ForgivesAPartThatMovesAgain) {
  ManualClock clock;
  Progress progress(clock);
  Pulse collector(clock.boot_now());
  progress.watch("collector", seconds(10), [&] { return collector.last(); });
  clock.advance(seconds(60));
  EXPECT_EQ(names_of(progress.stalled()), "collector;");
  collector.move(clock.boot_now());
  EXPECT_EQ(names_of(progress.stalled()), "");
}

TEST(Progress, TakesANewPatience) {
  ManualClock clock;
  Progress progress(clock);
  const Pulse collector(clock.boot_now());
  progress.watch("collector", seconds(10), [&] { return collector.last(); });
  clock.advance(seconds(15));
  progress.set_patience("collector", seconds(30));
  EXPECT_EQ(names_of(progress.stalled()), "");
  progress.set_patience("collector", seconds(14));
  EXPECT_EQ(names_of(progress.stalled()), "collector;");
}

TEST(Progress, HasNothingAgainstNoParts) {
  const ManualClock clock;
  EXPECT_TRUE(Progress(clock).stalled().empty());
}

}  // namespace
}  // namespace virtmeter
