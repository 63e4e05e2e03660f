#include "source/libvirt/health_book.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::seconds;
using Way = VmReading::Way;

constexpr MetricId kCode = metric_id("vm_health.health_code");
constexpr MetricId kReason = metric_id("vm_health.reason_code");
constexpr MetricId kDiskAge = metric_id("vm_health.disk_age_ms");
constexpr MetricId kMemoryAge = metric_id("vm_health.memory_age_ms");

constexpr BootTime at(std::int64_t second) { return {seconds(second)}; }

// A VM with a NIC and two disks, read wholly unless a test takes something away.
class HealthBookTest : public ::testing::Test {
 protected:
  HealthBookTest() {
    live_.uuid.bytes.fill(1);
    live_.domain_id = 1;
  }

  VmReading reading() {
    VmReading reading;
    reading.live = &live_;
    auto layout = std::make_shared<VmLayout>();
    layout->nics = {"vnet0"};
    layout->disks = {"vda", "vdb"};
    reading.give_layout(std::move(layout));
    reading.groups = {.cpu = true, .balloon = true, .rss = true, .nics = true, .disks = true};
    reading.sample.values.set_integer(metric_id("vm_metrics.cputime_ns"), 1);
    reading.sample.values.set_integer(metric_id("vm_totals.memrss"), 1);
    for (NicValues& nic : reading.sample.nics) nic.set_integer(metric_id("nic.rxbytes"), 1);
    for (DiskValues& disk : reading.sample.disks) disk.set_integer(metric_id("disk.rd_req"), 1);
    return reading;
  }
  VmReading lacking(Absence why) {
    VmReading lacks = reading();
    lacks.sample.disks[1].set_absent(metric_id("disk.rd_req"), why);
    return lacks;
  }
  VmReading hung(BootTime since) {
    VmReading stuck = reading();
    stuck.way = Way::hung;
    stuck.hung_since = since;
    stuck.sample.values.set_absent(metric_id("vm_totals.memrss"), Absence::hung);
    for (DiskValues& disk : stuck.sample.disks) disk.set_absent(metric_id("disk.rd_req"), Absence::hung);
    return stuck;
  }

  LiveVm live_;
  HealthBook book_;
};

TEST_F(HealthBookTest, SaysNothingOfAVmThatIsWell) {
  for (int second = 0; second < 3; ++second) {
    VmReading well = reading();
    EXPECT_EQ(book_.judge(well, at(second)), Health::ok);
    EXPECT_FALSE(well.sample.health.has(kCode));
  }
}

TEST_F(HealthBookTest, TellsHowLongAVmHasHungAndHowOldItsGroupsAre) {
  VmReading well = reading();
  book_.judge(well, at(100));
  VmReading stuck = hung(at(103));
  EXPECT_EQ(book_.judge(stuck, at(110)), Health::hung);
  const HealthValues& health = stuck.sample.health;
  EXPECT_EQ(health.integer(kCode), static_cast<std::int64_t>(Health::hung));
  EXPECT_EQ(health.integer(kReason), static_cast<std::int64_t>(HealthReason::no_answer));
  EXPECT_EQ(health.integer(metric_id("vm_health.hung_ms")), 7000);
  EXPECT_EQ(health.integer(metric_id("vm_health.cpu_age_ms")), 0);
  EXPECT_EQ(health.integer(metric_id("vm_health.nic_age_ms")), 0);
  EXPECT_EQ(health.integer(kMemoryAge), 10000);
  EXPECT_EQ(health.integer(kDiskAge), 10000);
}

TEST_F(HealthBookTest, TellsOnceThatAVmIsWellAgain) {
  VmReading stuck = hung(at(1));
  book_.judge(stuck, at(2));
  VmReading well = reading();
  EXPECT_EQ(book_.judge(well, at(3)), Health::ok);
  EXPECT_EQ(well.sample.health.integer(kCode), 0);
  EXPECT_EQ(well.sample.health.integer(kDiskAge), 0);
  EXPECT_FALSE(well.sample.health.has(metric_id("vm_health.hung_ms")));
  VmReading later = reading();
  book_.judge(later, at(4));
  EXPECT_FALSE(later.sample.health.has(kCode));
}

TEST_F(HealthBookTest, HasNoAgeOfAGroupThatWasNeverRead) {
  VmReading stuck = hung(at(1));
  book_.judge(stuck, at(2));
  EXPECT_FALSE(stuck.sample.health.has(kDiskAge));
  EXPECT_TRUE(stuck.sample.health.has(metric_id("vm_health.nic_age_ms")));
}

TEST_F(HealthBookTest, NamesWhyAVmIsReadInPart) {
  const auto check = [this](Absence absence, HealthReason want) {
    VmReading well = reading();
    book_.judge(well, at(1));
    VmReading lacks = lacking(absence);
    EXPECT_EQ(book_.judge(lacks, at(2)), Health::partial);
    EXPECT_EQ(lacks.sample.health.integer(kReason), static_cast<std::int64_t>(want));
  };
  check(Absence::call_failed, HealthReason::call_failed);
  check(Absence::device_gone, HealthReason::no_statistics);
  check(Absence::out_of_range, HealthReason::out_of_range);
}

TEST_F(HealthBookTest, MissesNothingThatTheVmHasNeverHad) {
  for (const Absence absence :
       {Absence::unsupported, Absence::not_reported, Absence::call_failed, Absence::device_gone}) {
    book_ = {};
    for (int second = 0; second < 3; ++second) {
      VmReading lacks = lacking(absence);
      EXPECT_EQ(book_.judge(lacks, at(second)), Health::ok) << name_of(absence);
    }
  }
}

TEST_F(HealthBookTest, MissesAtLastWhatTheVmHasGivenOnce) {
  VmReading lacks = lacking(Absence::call_failed);
  book_.judge(lacks, at(1));
  VmReading well = reading();
  book_.judge(well, at(2));
  lacks = lacking(Absence::call_failed);
  EXPECT_EQ(book_.judge(lacks, at(3)), Health::partial);
}

TEST_F(HealthBookTest, TakesANewDeviceAsItIs) {
  VmReading well = reading();
  book_.judge(well, at(1));
  VmReading plugged = reading();
  plugged.sample.nics.emplace_back().set_absent(metric_id("nic.rxbytes"), Absence::device_gone);
  EXPECT_EQ(book_.judge(plugged, at(2)), Health::ok);
}

TEST_F(HealthBookTest, TellsABusyVmFromOneThatStarts) {
  VmReading busy = reading();
  busy.groups.rss = false;
  EXPECT_EQ(book_.judge(busy, at(1)), Health::busy);
  EXPECT_EQ(busy.sample.health.integer(kReason), static_cast<std::int64_t>(HealthReason::other_job));
  VmReading starts = reading();
  starts.groups.rss = false;
  starts.groups.starting = true;
  EXPECT_EQ(book_.judge(starts, at(2)), Health::ok);
}

TEST_F(HealthBookTest, NamesWhyATurnDidNotCome) {
  VmReading late = reading();
  late.way = Way::out_of_time;
  EXPECT_EQ(book_.judge(late, at(1)), Health::stale);
  EXPECT_EQ(late.sample.health.integer(kReason), static_cast<std::int64_t>(HealthReason::out_of_time));
  late = reading();
  late.way = Way::too_many_calls;
  EXPECT_EQ(book_.judge(late, at(2)), Health::stale);
  EXPECT_EQ(late.sample.health.integer(kReason), static_cast<std::int64_t>(HealthReason::too_many_calls));
}

TEST_F(HealthBookTest, KnowsAVmWhoseDevicesCannotBeListed) {
  VmReading unknown = reading();
  auto layout = std::make_shared<VmLayout>();
  layout->devices_known = false;
  unknown.give_layout(std::move(layout));
  EXPECT_EQ(book_.judge(unknown, at(1)), Health::partial);
  EXPECT_EQ(unknown.sample.health.integer(kReason), static_cast<std::int64_t>(HealthReason::no_device_list));
}

TEST_F(HealthBookTest, StartsAfreshWithEachLifeOfAVm) {
  VmReading stuck = hung(at(1));
  book_.judge(stuck, at(2));
  live_.domain_id = 2;
  VmReading well = reading();
  book_.judge(well, at(3));
  EXPECT_FALSE(well.sample.health.has(kCode));
}

TEST_F(HealthBookTest, ForgetsAVmThatHasGone) {
  VmReading well = reading();
  book_.judge(well, at(1));
  book_.drop_unjudged();
  EXPECT_EQ(book_.size(), 1u);
  book_.drop_unjudged();
  EXPECT_EQ(book_.size(), 0u);
}

}  // namespace
}  // namespace virtmeter
