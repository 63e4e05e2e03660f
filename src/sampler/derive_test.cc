#include "sampler/derive.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr BootTime kStart{seconds(1000)};
constexpr MetricId kRxRate = metric_id("vm_features.net_rxbytes_rate");
constexpr MetricId kRxAngle = metric_id("vm_features.net_rxbytes_angle_deg");
constexpr MetricId kWriteRate = metric_id("vm_features.disk_wr_bytes_rate");
constexpr MetricId kMemoryRate = metric_id("vm_features.memory_rate_kb_per_sec");
constexpr MetricId kMemoryAngle = metric_id("vm_features.memory_angle_deg");

struct VmSpec {
  std::uint8_t uuid = 1;
  int domain_id = 7;
  BootTime read_at = kStart;
  std::int64_t memory_kib = 1000;
  std::vector<std::int64_t> rx_bytes = {100, 100};
  std::vector<std::string> nics = {"vnet0", "vnet1"};
  std::string name = "web";
};

VmSample make_vm(const VmSpec& spec) {
  auto layout = std::make_shared<VmLayout>();
  layout->uuid.bytes[0] = spec.uuid;
  layout->domain_id = spec.domain_id;
  layout->name = spec.name;
  layout->nics = spec.nics;
  VmSample vm;
  vm.layout = layout;
  set_read_at(vm, spec.read_at);
  vm.values.set_integer(metric_id("vm_metrics.memory_used_kb"), spec.memory_kib);
  for (const std::int64_t bytes : spec.rx_bytes) {
    NicValues nic;
    if (bytes >= 0) nic.set_integer(metric_id("nic.rxbytes"), bytes);
    vm.nics.push_back(nic);
  }
  complete(vm);
  return vm;
}

// Runs the cycles one after another; gives the last VM of the last.
VmSample derived(const std::vector<VmSpec>& specs) {
  Deriver deriver(seconds(15));
  std::shared_ptr<const Cycle> last;
  for (const VmSpec& spec : specs) {
    auto cycle = std::make_shared<Cycle>();
    cycle->vms.push_back(make_vm(spec));
    for (VmSample& vm : cycle->vms) deriver.derive(vm);
    deriver.remember(cycle, spec.read_at);
    last = cycle;
  }
  return last->vms.back();
}

VmSpec later(VmSpec spec, std::function<void(VmSpec&)> change) {
  spec.read_at = spec.read_at + seconds(5);
  change(spec);
  return spec;
}

TEST(Derive, MakesNoRateOfAFirstSample) {
  const VmSample vm = derived({VmSpec{}});
  EXPECT_EQ(vm.values.absence(kRxRate), Absence::no_rate);
  EXPECT_FALSE(vm.values.real(kMemoryRate));
}

TEST(Derive, DividesByTheSecondsBetweenTheReadings) {
  const VmSample vm = derived({VmSpec{}, later({}, [](VmSpec& now) {
                                 now.rx_bytes = {600, 1100};
                                 now.memory_kib = 900;
                                 now.read_at = kStart + milliseconds(2500);
                               })});
  EXPECT_DOUBLE_EQ(*vm.values.real(kRxRate), 1500 / 2.5);
  EXPECT_DOUBLE_EQ(*vm.values.real(kMemoryRate), -40.0);
  EXPECT_DOUBLE_EQ(*vm.values.real(kMemoryAngle), std::atan(-40.0 + 1e-12) * 180 / M_PI);
  EXPECT_DOUBLE_EQ(*vm.values.real(kRxAngle), std::atan(600.0) * 180 / M_PI);
}

TEST(Derive, DividesEachGroupByTheTimeBetweenItsOwnReadings) {
  VmSample before = make_vm({});
  VmSample now = make_vm(later({}, [](VmSpec& spec) {
    spec.memory_kib = 1100;
    spec.rx_bytes = {600, 100};
  }));
  now.memory_read_at = kStart + seconds(10);
  now.disks_read_at = before.disks_read_at;
  derive_features(now, before);
  EXPECT_DOUBLE_EQ(*now.values.real(kRxRate), 500 / 5.0);
  EXPECT_DOUBLE_EQ(*now.values.real(kMemoryRate), 100 / 10.0);
  EXPECT_FALSE(now.values.real(kWriteRate)) << "the disks were not read anew";
}

TEST(Derive, GivesZeroForCountersThatStoodStill) {
  const VmSample vm = derived({VmSpec{}, later({}, [](VmSpec&) {})});
  EXPECT_EQ(*vm.values.real(kRxRate), 0.0);
  EXPECT_DOUBLE_EQ(*vm.values.real(kMemoryAngle), std::atan(1e-12) * 180 / M_PI);
  EXPECT_EQ(*vm.values.real(kWriteRate), 0.0) << "no disks: the sum of none is 0 and stays 0";
}

TEST(Derive, StartsAnewWhenTheVmWasRestarted) {
  const VmSample vm = derived({VmSpec{}, later({}, [](VmSpec& now) {
                                 now.domain_id = 8;
                                 now.rx_bytes = {900, 900};
                               })});
  EXPECT_FALSE(vm.values.real(kRxRate));
}

TEST(Derive, DoesNotTakeAReusedIdForTheSameVm) {
  const VmSample vm = derived({VmSpec{}, later({}, [](VmSpec& now) {
                                 now.uuid = 2;
                                 now.rx_bytes = {900, 900};
                               })});
  EXPECT_FALSE(vm.values.real(kRxRate));
}

TEST(Derive, GoesOnAfterARename) {
  const VmSample vm = derived({VmSpec{}, later({}, [](VmSpec& now) {
                                 now.name = "renamed";
                                 now.rx_bytes = {600, 100};
                               })});
  EXPECT_DOUBLE_EQ(*vm.values.real(kRxRate), 100.0);
}

TEST(Derive, MakesNoRateAcrossACounterReset) {
  const VmSample vm = derived({VmSpec{}, later({}, [](VmSpec& now) { now.rx_bytes = {0, 100}; })});
  EXPECT_FALSE(vm.values.real(kRxRate));
  EXPECT_FALSE(vm.values.real(kRxAngle));
  EXPECT_TRUE(vm.values.real(kMemoryRate)) << "the other rates go on";
}

TEST(Derive, SeesAResetThatAnotherDeviceHides) {
  const VmSample vm = derived({VmSpec{}, later({}, [](VmSpec& now) { now.rx_bytes = {0, 9000}; })});
  EXPECT_FALSE(vm.values.real(kRxRate));
}

TEST(Derive, MakesNoRateAcrossHotPlug) {
  const VmSample plugged = derived({VmSpec{}, later({}, [](VmSpec& now) {
                                      now.nics = {"vnet0", "vnet1", "vnet2"};
                                      now.rx_bytes = {100, 100, 5000};
                                    })});
  EXPECT_FALSE(plugged.values.real(kRxRate));
  const VmSample unplugged = derived({VmSpec{}, later({}, [](VmSpec& now) {
                                        now.nics = {"vnet0"};
                                        now.rx_bytes = {500};
                                      })});
  EXPECT_FALSE(unplugged.values.real(kRxRate));
}

TEST(Derive, MakesNoRateOfAnAbsentValue) {
  const VmSample lost = derived({VmSpec{}, later({}, [](VmSpec& now) { now.rx_bytes = {-1, 500}; })});
  EXPECT_FALSE(lost.values.real(kRxRate));
  const VmSample back = derived({VmSpec{.rx_bytes = {-1, 500}}, later({}, [](VmSpec& now) {
                                   now.rx_bytes = {900, 900};
                                 })});
  EXPECT_FALSE(back.values.real(kRxRate));
}

TEST(Derive, DoesNotBridgeALongGap) {
  const VmSample vm = derived({VmSpec{}, later({}, [](VmSpec& now) { now.read_at = kStart + seconds(16); })});
  EXPECT_FALSE(vm.values.real(kMemoryRate));
  const VmSample near =
      derived({VmSpec{}, later({}, [](VmSpec& now) { now.read_at = kStart + seconds(15); })});
  EXPECT_TRUE(near.values.real(kMemoryRate));
}

TEST(Derive, KeepsExactDifferencesOfLargeCounters) {
  const std::int64_t large = INT64_MAX / 4;
  const VmSample vm = derived({VmSpec{.rx_bytes = {large, large}}, later({}, [&](VmSpec& now) {
                                 now.rx_bytes = {large + 5, large + 5};
                               })});
  EXPECT_DOUBLE_EQ(*vm.values.real(kRxRate), 2.0);
}

// Cycles of several VMs each, in the order given, 5 s apart.
class Cycles {
 public:
  std::shared_ptr<const Cycle> add(std::vector<VmSpec> specs) {
    auto cycle = std::make_shared<Cycle>();
    for (VmSpec& spec : specs) {
      spec.read_at = now;
      spec.memory_kib = std::chrono::duration_cast<seconds>(now.since_boot).count() * 10 * spec.uuid;
      cycle->vms.push_back(make_vm(spec));
      deriver.derive(cycle->vms.back());
    }
    deriver.remember(cycle, now);
    now = now + seconds(5);
    return cycle;
  }

  Deriver deriver{seconds(15)};
  BootTime now = kStart;
};

// Each VM's memory grows by ten times its number a second.
void expect_rates_of_all(const Cycle& cycle) {
  for (const VmSample& vm : cycle.vms)
    EXPECT_EQ(vm.values.real(kMemoryRate), std::optional(10.0 * vm.layout->uuid.bytes[0]));
}

TEST(Deriver, MeetsVmsAgainWhereverTheyStand) {
  Cycles cycles;
  cycles.add({{.uuid = 1}, {.uuid = 2}, {.uuid = 3}, {.uuid = 4}});
  expect_rates_of_all(*cycles.add({{.uuid = 1}, {.uuid = 2}, {.uuid = 3}, {.uuid = 4}}));
  expect_rates_of_all(*cycles.add({{.uuid = 1}, {.uuid = 3}, {.uuid = 4}}));
  expect_rates_of_all(*cycles.add({{.uuid = 4}, {.uuid = 1}, {.uuid = 3}}));
}

TEST(Deriver, KnowsWhichVmIsNew) {
  Cycles cycles;
  cycles.add({{.uuid = 1}, {.uuid = 3}});
  const auto cycle = cycles.add({{.uuid = 1}, {.uuid = 2}, {.uuid = 3}});
  EXPECT_TRUE(cycle->vms[0].values.real(kMemoryRate));
  EXPECT_FALSE(cycle->vms[1].values.real(kMemoryRate));
  EXPECT_TRUE(cycle->vms[2].values.real(kMemoryRate));
}

TEST(Deriver, BridgesACycleThatHasNotGotTheVm) {
  Cycles cycles;
  cycles.add({{.uuid = 1}, {.uuid = 2}});
  cycles.add({{.uuid = 1}});
  expect_rates_of_all(*cycles.add({{.uuid = 1}, {.uuid = 2}}));
  cycles.add({});
  expect_rates_of_all(*cycles.add({{.uuid = 2}, {.uuid = 1}}));
}

TEST(Deriver, ForgetsVmsThatAreGone) {
  Cycles cycles;
  cycles.add({{.uuid = 1}, {.uuid = 2}});
  const std::weak_ptr<const VmLayout> gone = cycles.add({{.uuid = 1}, {.uuid = 2}})->vms[1].layout;
  for (int i = 0; i < 3; ++i) cycles.add({{.uuid = 1}});
  EXPECT_FALSE(gone.expired());
  cycles.add({{.uuid = 1}});
  EXPECT_TRUE(gone.expired());
}

TEST(Deriver, HoldsTheLastCycleOnly) {
  Cycles cycles;
  const std::weak_ptr<const Cycle> first = cycles.add({{.uuid = 1}, {.uuid = 2}});
  cycles.add({{.uuid = 2}});
  EXPECT_TRUE(first.expired());
}

}  // namespace
}  // namespace virtmeter
