#include "source/libvirt/balloon_memory.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MetricId kUsed = metric_id("vm_metrics.memory_used_kb");
constexpr MetricId kUsable = metric_id("vm_totals.memusable");
constexpr MetricId kCache = metric_id("vm_totals.memdisk_cache");
constexpr MetricId kRss = metric_id("vm_totals.memrss");

BalloonMemory::Moment at(std::chrono::nanoseconds time) { return {{time}, true, true, seconds(5)}; }
BalloonMemory::Moment still_at(std::chrono::nanoseconds time) {
  BalloonMemory::Moment moment = at(time);
  moment.runs = false;
  return moment;
}

VmValues values() {
  VmValues values;
  values.set_integer(kUsed, 1024);
  values.set_integer(kUsable, 300);
  values.set_integer(kRss, 77);
  values.set_absent(kCache, Absence::not_reported);
  return values;
}

TEST(BalloonMemory, IsDueAtFirstAndAfterNewsOnly) {
  BalloonMemory memory;
  EXPECT_TRUE(memory.due(at(seconds(1))));
  memory.keep(values(), at(seconds(1)));
  EXPECT_FALSE(memory.due(at(seconds(100'000))));
  memory.note_news();
  EXPECT_TRUE(memory.due(at(seconds(2))));
  memory.keep(values(), at(seconds(2)));
  EXPECT_FALSE(memory.due(at(seconds(3))));
}

TEST(BalloonMemory, IsDueEachTimeWhereNoEventTells) {
  BalloonMemory memory;
  memory.keep(values(), at(seconds(1)));
  BalloonMemory::Moment moment = at(seconds(2));
  moment.changes_told = false;
  EXPECT_TRUE(memory.due(moment));
}

TEST(BalloonMemory, FollowsTheGuestsPeriodAndNoFaster) {
  BalloonMemory memory;
  memory.set_period(seconds(10));
  memory.keep(values(), at(seconds(100)));
  EXPECT_FALSE(memory.due(at(seconds(105))));
  EXPECT_TRUE(memory.due(at(milliseconds(109'900)))) << "the beat came a little sooner";
  EXPECT_TRUE(memory.due(at(seconds(110))));
}

TEST(BalloonMemory, AsksAVmThatStandsStillOnceMore) {
  BalloonMemory memory;
  memory.set_period(seconds(2));
  memory.keep(values(), at(seconds(1)));
  EXPECT_TRUE(memory.due(still_at(seconds(2))));
  memory.keep(values(), still_at(seconds(2)));
  EXPECT_FALSE(memory.due(still_at(seconds(1000))));
  EXPECT_TRUE(memory.due(at(seconds(1001)))) << "it runs again";
}

TEST(BalloonMemory, GivesWhatWasReadAndWhyTheRestWasNot) {
  BalloonMemory memory;
  memory.keep(values(), at(seconds(1)));
  VmValues later;
  later.set_integer(kUsable, 5);
  memory.give(later);
  EXPECT_EQ(later.integer(kUsed), 1024);
  EXPECT_EQ(later.integer(kUsable), 5) << "set already";
  EXPECT_EQ(later.absence(kCache), Absence::not_reported);
  EXPECT_EQ(later.absence(kRss), Absence::not_read) << "never kept";
}

}  // namespace
}  // namespace virtmeter
