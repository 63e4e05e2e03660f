#include "source/replay/timeline.h"

#include <gtest/gtest.h>

#include <set>

namespace virtmeter {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Draw, IsTheSameForTheSameSeedAndDiffersOtherwise) {
  EXPECT_EQ(draw(1, 2, 3), draw(1, 2, 3));
  const std::set<std::uint64_t> drawn = {draw(1, 2, 3), draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4),
                                         draw(1, 3, 2)};
  EXPECT_EQ(drawn.size(), 5u);
}

TEST(Draw, SpreadsEvenly) {
  double sum = 0;
  for (std::uint64_t vm = 0; vm < 10'000; ++vm) {
    const double fraction = draw_fraction(1, vm, 0);
    EXPECT_TRUE(fraction >= 0 && fraction < 1);
    sum += fraction;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Recurrence, HappensAtItsPhase) {
  const Recurrence twice(2, 0.5);
  EXPECT_EQ(twice.at(minutes(14)).count, 0u);
  EXPECT_EQ(twice.at(minutes(14)).since, minutes(14));
  EXPECT_EQ(twice.at(minutes(15)).count, 1u);
  EXPECT_EQ(twice.at(minutes(16)).since, minutes(1));
  EXPECT_EQ(twice.at(minutes(46)).count, 2u);
}

TEST(Recurrence, NeverHappensWithoutARate) {
  EXPECT_EQ(Recurrence(0, 0.9).at(hours(1000)).count, 0u);
  EXPECT_EQ(Recurrence(0, 0.9).at(hours(1000)).since, hours(1000));
}

TEST(Life, EndsAndBeginsAnewAfterAWhile) {
  const Recurrence hourly(1, 0.5);
  EXPECT_EQ(life_at(hourly, minutes(29))->number, 0u);
  EXPECT_FALSE(life_at(hourly, minutes(30)));
  EXPECT_FALSE(life_at(hourly, minutes(30) + seconds(19)));
  const auto second = life_at(hourly, minutes(31));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->number, 1u);
  EXPECT_EQ(second->age, seconds(40));
}

TEST(Life, HasItsDownTimeWithinItsPeriod) {
  const Recurrence quick(3600, 0);
  EXPECT_FALSE(life_at(quick, seconds(1)));
  EXPECT_EQ(life_at(quick, seconds(1) + nanoseconds(250'000'000))->number, 1u);
}

TEST(Plugged, ComesAndGoesInTurn) {
  const Recurrence hourly(1, 0);
  EXPECT_EQ(plugged_at(hourly, minutes(30)).key(), 0u);
  EXPECT_EQ(plugged_at(hourly, minutes(70)).key(), 1u);
  EXPECT_EQ(plugged_at(hourly, minutes(70)).disk, minutes(10));
  EXPECT_EQ(plugged_at(hourly, minutes(130)).key(), 3u);
  EXPECT_EQ(plugged_at(hourly, minutes(130)).disk, minutes(70));
  EXPECT_EQ(plugged_at(hourly, minutes(130)).nic, minutes(10));
  EXPECT_EQ(plugged_at(hourly, minutes(190)).key(), 2u);
  EXPECT_EQ(plugged_at(hourly, minutes(250)).key(), 0u);
}

}  // namespace
}  // namespace virtmeter
