// The tiers of a read: a kernel that is told what it knows, libvirt's test driver for who is there, and
// records as a daemon would send them.
#include "source/libvirt/tiers.h"

#include <gtest/gtest.h>

#include "source/libvirt/fake_fast_reader.h"
#include "source/libvirt/test_node.h"
#include "source/libvirt/test_params.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using enum StatGroup;

constexpr MetricId kCpuTime = metric_id("vm_metrics.cputime_ns");
constexpr MetricId kUserTime = metric_id("vm_totals.timeusr");
constexpr MetricId kCpuCount = metric_id("vm_metrics.cpu_count");
constexpr MetricId kUsed = metric_id("vm_metrics.memory_used_kb");
constexpr MetricId kUsable = metric_id("vm_totals.memusable");
constexpr MetricId kRss = metric_id("vm_totals.memrss");
constexpr MetricId kState = metric_id("vm_totals.state");
constexpr MetricId kReads = metric_id("disk.rd_req");
constexpr MetricId kRx = metric_id("nic.rxbytes");
constexpr MetricId kCode = metric_id("vm_health.health_code");

TEST(ChooseGroups, AsksLibvirtForWhatTheKernelDoesNotTell) {
  const auto check = [](FastCoverage fast, GroupSet want, bool want_info) {
    LiveVm live;
    live.state = VIR_DOMAIN_RUNNING;
    VmReading reading;
    reading.begin(live);
    auto layout = std::make_shared<VmLayout>();
    layout->nics = {"vnet0"};
    layout->disks = {"vda"};
    reading.give_layout(layout);
    reading.fast = fast;
    CachedVm kept{layout, {}};
    kept.balloon.keep({}, {});
    choose_groups(reading, &kept, {});
    EXPECT_EQ(reading.wanted, want);
    EXPECT_EQ(reading.wants_info, want_info);
  };
  check({true, true, true, true}, {block}, false);
  check({false, true, true, true}, {cpu, block}, false);
  check({true, false, true, true}, {balloon, block}, false);
  check({true, true, false, true}, {block}, true);
  check({true, true, true, false}, {interface, block}, false);
  check({}, {cpu, balloon, interface, block}, true);
}

TEST(ChooseGroups, AsksNothingOfAVmWithoutDisksAndNews) {
  LiveVm live;
  live.state = VIR_DOMAIN_RUNNING;
  VmReading reading;
  reading.begin(live);
  auto layout = std::make_shared<VmLayout>();
  reading.give_layout(layout);
  reading.fast = test::FakeFastReader::kAll;
  CachedVm kept{layout, {}};
  kept.balloon.keep({}, {});
  choose_groups(reading, &kept, {});
  EXPECT_TRUE(reading.wanted.empty());
  choose_groups(reading, nullptr, {});
  EXPECT_EQ(reading.wanted, GroupSet{balloon}) << "nothing is known of it";
}

class TiersTest : public test::NodeTest {
 protected:
  void open_node(int count) {
    auto fast = std::make_unique<test::FakeFastReader>(clock_);
    fast_ = fast.get();
    open(node_uri(count), 32, std::move(fast));
    for (int i = 0; i < count; ++i) connector_->cost["vm" + std::to_string(i)] = milliseconds(10);
    connector_->bulk = [this](auto vms, const RecordVisitor& visit) {
      for (const LiveVm* vm : vms) {
        test::Params params;
        tell(telling(*vm), connector_->asked[vm->name].back(), params);
        visit(vm->uuid, params.span());
      }
    };
  }
  test::Telling telling(const LiveVm& vm) const {
    test::Telling telling{{"t" + vm.name.substr(2) + "a", "t" + vm.name.substr(2) + "b"},
                          {"vda", "vdb", "vdc", "sda"}};
    telling.held = held_.contains(vm.name);
    telling.memory_kib = memory_kib_;
    return telling;
  }
  std::vector<VmSample> cycle() {
    clock_.advance(seconds(5));
    for (auto& [vm, groups] : connector_->asked) groups.clear();
    auto vms = read();
    for (VmSample& vm : vms) complete(vm);
    return vms;
  }
  std::vector<GroupSet> asked(const std::string& vm) const { return connector_->asked[vm]; }

  test::FakeFastReader* fast_ = nullptr;
  std::set<std::string> held_;
  unsigned long long memory_kib_ = 1024;
};

TEST_F(TiersTest, AsksOnlyForBlockOnceTheBalloonIsKnown) {
  open_node(3);
  cycle();
  EXPECT_EQ(asked("vm1"), std::vector<GroupSet>({{balloon, block}}));
  for (int i = 0; i < 5; ++i) {
    const auto vms = cycle();
    ASSERT_EQ(vms.size(), 3u);
    EXPECT_EQ(asked("vm1"), std::vector<GroupSet>{{block}});
    const VmSample& vm = vms[1];
    EXPECT_EQ(vm.values.integer(kState), 1);
    EXPECT_EQ(vm.values.integer(kCpuTime), 100);
    EXPECT_EQ(vm.values.integer(kRss), 333);
    EXPECT_EQ(vm.values.integer(kUsed), 1024);
    EXPECT_EQ(vm.values.integer(kUsable), 40);
    EXPECT_EQ(vm.values.absence(metric_id("vm_totals.memswap_in")), Absence::not_reported);
    EXPECT_EQ(vm.nics[1].integer(kRx), 11);
    EXPECT_EQ(vm.disks[2].integer(kReads), 42);
    EXPECT_FALSE(vm.health.has(kCode));
    EXPECT_EQ(vm.memory_read_at, vm.read_at) << "known to be current";
  }
  EXPECT_EQ(source_->status().fallback_calls, 0u);
  EXPECT_EQ(source_->status().tiers.kernel_vms, 3u);
  EXPECT_EQ(source_->status().tiers.balloon_vms, 0u);
}

TEST_F(TiersTest, AsksForTheBalloonAfterItsEvent) {
  open_node(2);
  const auto vms = cycle();
  memory_kib_ = 2048;
  EXPECT_EQ(cycle()[1].values.integer(kUsed), 1024);
  connector_->news = Connector::Invalidations{.balloons = {vms[1].layout->uuid}};
  const auto after = cycle();
  EXPECT_EQ(after[0].values.integer(kUsed), 1024);
  EXPECT_EQ(after[1].values.integer(kUsed), 2048);
  EXPECT_EQ(asked("vm0"), std::vector<GroupSet>{{block}});
  EXPECT_EQ(asked("vm1"), std::vector<GroupSet>({{balloon, block}}));
}

TEST_F(TiersTest, AsksForTheBalloonWheneverItReadsTheXmlAnew) {
  open_node(1);
  const auto vms = cycle();
  cycle();
  connector_->news = Connector::Invalidations{.uuids = {vms[0].layout->uuid}};
  cycle();
  EXPECT_EQ(asked("vm0"), std::vector<GroupSet>({{balloon, block}}));
  clock_.advance(seconds(300));
  cycle();
  EXPECT_EQ(asked("vm0"), std::vector<GroupSet>({{balloon, block}})) << "the TTL is over";
}

TEST_F(TiersTest, FollowsTheGuestsPeriodWhileItRuns) {
  open_node(1);
  connector_->devices = [](const std::string&) {
    return DeviceList{{"t0a", "t0b"}, {"vda", "vdb", "vdc"}, {"sda"}, seconds(10)};
  };
  const auto asks = [this] { return cycle(), asked("vm0").back().has(balloon); };
  EXPECT_TRUE(asks());
  EXPECT_FALSE(asks());
  EXPECT_TRUE(asks());
  connector_->paused = {"vm0"};
  EXPECT_TRUE(asks()) << "once after it was paused";
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(asks());
  connector_->paused.clear();
  EXPECT_TRUE(asks());
}

TEST_F(TiersTest, AsksForWhatTheKernelLacksOfOneVm) {
  open_node(3);
  fast_->coverage["vm1"] = {};
  cycle();
  const auto vms = cycle();
  EXPECT_EQ(asked("vm0"), std::vector<GroupSet>{{block}});
  EXPECT_EQ(asked("vm1"), std::vector<GroupSet>({{cpu, balloon, interface, block}}));
  EXPECT_EQ(vms[1].values.integer(kCpuTime), 7);
  EXPECT_EQ(vms[1].values.integer(kUserTime), 4);
  EXPECT_EQ(vms[1].values.integer(kRss), 512);
  EXPECT_EQ(vms[1].values.integer(kCpuCount), 2) << "by its info, not by the group vcpu";
  EXPECT_EQ(vms[1].nics[0].integer(kRx), 40);
  EXPECT_EQ(source_->status().tiers.libvirt_vms, 1u);
  EXPECT_EQ(source_->status().fallback_calls, 2u);
}

TEST_F(TiersTest, KeepsTheKernelsResidentMemoryBesideTheBalloon) {
  open_node(1);
  EXPECT_EQ(cycle()[0].values.integer(kRss), 333);
  EXPECT_EQ(asked("vm0"), std::vector<GroupSet>({{balloon, block}}));
}

TEST_F(TiersTest, LeavesAHungVmItsKernelValues) {
  open_node(4);
  cycle();
  connector_->hung = {"vm2"};
  for (int i = 0; i < 3; ++i) {
    const auto vms = cycle();
    ASSERT_EQ(vms.size(), 4u);
    const VmSample& stuck = vms[2];
    EXPECT_EQ(stuck.health.integer(kCode), static_cast<std::int64_t>(Health::hung));
    EXPECT_EQ(stuck.values.integer(kCpuTime), 100);
    EXPECT_EQ(stuck.values.integer(kRss), 333);
    EXPECT_EQ(stuck.nics[0].integer(kRx), 11);
    EXPECT_EQ(stuck.values.integer(kState), 1);
    EXPECT_TRUE(stuck.values.has(kUsed)) << "libvirt knows it without the QEMU";
    EXPECT_EQ(stuck.values.absence(kUsable), Absence::hung);
    EXPECT_EQ(stuck.disks[0].absence(kReads), Absence::hung);
    EXPECT_GE(stuck.health.integer(metric_id("vm_health.memory_age_ms")), 5000);
    EXPECT_EQ(vms[3].disks[0].integer(kReads), 40) << "the others go on";
  }
  EXPECT_EQ(connector_->entered["vm2"], 1);
  connector_->hung.clear();
  const auto vms = cycle();
  EXPECT_EQ(vms[2].disks[0].integer(kReads), 40);
  EXPECT_EQ(vms[2].values.integer(kUsable), 40);
}

TEST_F(TiersTest, KnowsABusyVmByItsDisksAndAsksOnceMore) {
  open_node(2);
  cycle();
  held_ = {"vm1"};
  const auto vms = cycle();
  EXPECT_EQ(asked("vm1"), std::vector<GroupSet>({{block}, {balloon, block}}));
  EXPECT_EQ(vms[1].disks[0].absence(kReads), Absence::busy);
  EXPECT_EQ(vms[1].health.integer(kCode), static_cast<std::int64_t>(Health::busy));
  EXPECT_EQ(vms[1].values.integer(kUsable), 40) << "it had no news of the balloon";
  EXPECT_EQ(vms[0].disks[0].integer(kReads), 40);
}

TEST_F(TiersTest, AsksAgainForABalloonThatAnotherJobHeldBack) {
  open_node(1);
  held_ = {"vm0"};
  EXPECT_EQ(cycle()[0].values.absence(kUsable), Absence::busy);
  held_.clear();
  EXPECT_EQ(cycle()[0].values.integer(kUsable), 40);
  EXPECT_EQ(asked("vm0"), std::vector<GroupSet>({{balloon, block}}));
}

TEST_F(TiersTest, DeliversTheKernelsValuesWhenTheConnectionBreaks) {
  open_node(2);
  cycle();
  connector_->fault = [this](auto operation, auto, auto) -> std::optional<Error> {
    if (operation == "get_bulk_stats") connector_->cut = true;
    return connector_->cut ? std::optional<Error>(failed()) : std::nullopt;
  };
  const auto vms = cycle();
  ASSERT_EQ(vms.size(), 2u);
  EXPECT_EQ(vms[0].values.integer(kCpuTime), 100);
  EXPECT_FALSE(vms[0].disks[0].has(kReads));
}

TEST_F(TiersTest, ReadsANicFromTheKernelThatAnEventHasTold) {
  open_node(1);
  const Uuid uuid = cycle()[0].layout->uuid;
  connector_->devices = [](const std::string&) {
    return DeviceList{{"t0a", "t0b", "t0c"}, {"vda", "vdb", "vdc"}, {"sda"}};
  };
  connector_->news = Connector::Invalidations{.uuids = {uuid}};
  const auto vms = cycle();
  ASSERT_EQ(vms[0].nics.size(), 3u);
  EXPECT_EQ(vms[0].nics[2].integer(kRx), 11);
}

}  // namespace
}  // namespace virtmeter
