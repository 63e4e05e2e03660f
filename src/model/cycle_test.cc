#include "model/cycle.h"

#include <gtest/gtest.h>

#include <numeric>

namespace virtmeter {
namespace {

constexpr MetricId kRxBytes = metric_id("nic.rxbytes");
constexpr MetricId kNetRxBytes = metric_id("vm_totals.net_rxbytes");
constexpr MetricId kDiskRdReq = metric_id("vm_totals.disk_rd_req");

VmSample sample_with(std::size_t nic_count, std::size_t disk_count) {
  VmSample vm;
  vm.layout = std::make_shared<const VmLayout>();
  vm.nics.resize(nic_count);
  vm.disks.resize(disk_count);
  return vm;
}

TEST(Uuid, IsWrittenInLowerCaseWithItsHyphens) {
  Uuid uuid;
  std::iota(uuid.bytes.begin(), uuid.bytes.end(), std::uint8_t{0xA0});
  EXPECT_EQ(uuid.text(), "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf");
  EXPECT_EQ(Uuid{}.text(), "00000000-0000-0000-0000-000000000000");
}

TEST(Uuid, IsComparedAndHashedByItsBytes) {
  Uuid a;
  Uuid b;
  EXPECT_EQ(a, b);
  EXPECT_EQ(UuidHash()(a), UuidHash()(b));
  b.bytes[15] = 1;
  EXPECT_LT(a, b);
  EXPECT_NE(UuidHash()(a), UuidHash()(b));
}

TEST(StateName, IsTheContractsWord) {
  const auto check = [](std::int64_t code, std::string_view want) {
    EXPECT_EQ(state_name(code), want) << code;
  };
  check(0, "no state");
  check(1, "running");
  check(2, "blocked");
  check(3, "paused");
  check(4, "shutdown");
  check(5, "shutoff");
  check(6, "crashed");
  check(7, "suspended");
  check(8, "unknown");
  check(-1, "unknown");
  check(INT64_MAX, "unknown");
  check(INT64_MIN, "unknown");
}

TEST(VmLayout, CountsTheBytesOfItsStrings) {
  VmLayout layout;
  EXPECT_EQ(layout.bytes(), sizeof(VmLayout));
  layout.name = std::string(100, 'x');
  const std::size_t with_name = layout.bytes();
  EXPECT_GE(with_name, sizeof(VmLayout) + 101);
  layout.nics = {"vnet0"};
  EXPECT_EQ(layout.bytes(), with_name + sizeof(std::string));
  layout.disks = {std::string(50, 'x')};
  EXPECT_GE(layout.bytes(), with_name + 2 * sizeof(std::string) + 51);
}

TEST(Complete, SumsEachKindOfDevice) {
  VmSample vm = sample_with(2, 1);
  vm.nics[0].set_integer(kRxBytes, 3);
  vm.nics[1].set_integer(kRxBytes, 4);
  vm.disks[0].set_integer(metric_id("disk.rd_req"), 9);
  complete(vm);
  EXPECT_EQ(vm.values.integer(kNetRxBytes), 7);
  EXPECT_EQ(vm.values.integer(kDiskRdReq), 9);
}

TEST(Complete, SumsNoDeviceToZero) {
  VmSample vm = sample_with(0, 0);
  complete(vm);
  EXPECT_EQ(vm.values.integer(kNetRxBytes), 0);
  EXPECT_EQ(vm.values.integer(kDiskRdReq), 0);
}

TEST(Complete, KeepsOfAPartialSumWhatWasRead) {
  VmSample vm = sample_with(3, 0);
  vm.nics[0].set_integer(kRxBytes, 3);
  vm.nics[1].set_absent(kRxBytes, Absence::device_gone);
  vm.nics[2].set_integer(kRxBytes, 4);
  complete(vm);
  EXPECT_EQ(vm.values.integer(kNetRxBytes), std::nullopt);
  EXPECT_EQ(vm.values.absence(kNetRxBytes), Absence::partial_sum);
  EXPECT_EQ(vm.values.integer_or_remainder(kNetRxBytes), 7);
}

TEST(Complete, GivesASumOfWhichNothingWasReadTheReasonOfItsParts) {
  VmSample vm = sample_with(2, 0);
  vm.nics[0].set_absent(kRxBytes, Absence::call_failed);
  vm.nics[1].set_absent(kRxBytes, Absence::call_failed);
  complete(vm);
  EXPECT_EQ(vm.values.absence(kNetRxBytes), Absence::call_failed);
  EXPECT_EQ(vm.values.integer_or_remainder(kNetRxBytes), 0);
}

// An empty list that nobody could read is not "no device": its sum is not 0.
TEST(Complete, SumsNothingWhereTheDevicesAreNotKnown) {
  VmSample vm = sample_with(0, 0);
  VmLayout layout;
  layout.devices_known = false;
  vm.layout = std::make_shared<const VmLayout>(layout);
  complete(vm);
  EXPECT_EQ(vm.values.integer(kNetRxBytes), std::nullopt);
  EXPECT_EQ(vm.values.absence(kNetRxBytes), Absence::call_failed);
  EXPECT_EQ(vm.values.absence(kDiskRdReq), Absence::call_failed);
}

TEST(Complete, StopsASumAtTheLimitInsteadOfTurningNegative) {
  VmSample vm = sample_with(3, 0);
  vm.nics[0].set_integer(kRxBytes, INT64_MAX);
  vm.nics[1].set_integer(kRxBytes, 1);
  vm.nics[2].set_integer(kRxBytes, 1);
  complete(vm);
  EXPECT_EQ(vm.values.integer(kNetRxBytes), INT64_MAX);
}

TEST(Complete, CopiesValuesAndTheReasonsOfThoseThatAreAbsent) {
  VmSample vm = sample_with(0, 0);
  vm.values.set_integer(metric_id("vm_metrics.cpu_count"), 4);
  vm.values.set_absent(metric_id("vm_metrics.cputime_ns"), Absence::busy);
  complete(vm);
  EXPECT_EQ(vm.values.integer(metric_id("vm_totals.cpus")), 4);
  EXPECT_EQ(vm.values.absence(metric_id("vm_totals.cputime")), Absence::busy);
}

TEST(Complete, LeavesTrendsAndReadingsAlone) {
  VmSample vm = sample_with(0, 0);
  complete(vm);
  EXPECT_EQ(vm.values.absence(metric_id("vm_features.net_rxbytes_rate")), Absence::not_read);
  EXPECT_EQ(vm.values.absence(metric_id("vm_totals.memrss")), Absence::not_read);
}

TEST(Complete, FollowsItsReadingsWhenRepeated) {
  VmSample vm = sample_with(1, 0);
  complete(vm);
  vm.nics[0].set_integer(kRxBytes, 5);
  complete(vm);
  EXPECT_EQ(vm.values.integer(kNetRxBytes), 5);
}

std::uint64_t count_of(const AbsenceCounts& counts, Absence absence) {
  return counts[static_cast<std::size_t>(absence)];
}

TEST(CountAbsences, CountsEachAbsentFieldOfTheCoreMeasurementsOnce) {
  VmSample vm = sample_with(1, 1);
  complete(vm);
  AbsenceCounts counts{};
  count_absences(vm, counts);
  // vm_metrics without the name of the state, vm_totals, a NIC, a disk; no trend.
  EXPECT_EQ(count_of(counts, Absence::not_read), 4u + 27 + 8 + 5);
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}), 4u + 27 + 8 + 5);
}

TEST(CountAbsences, CountsByReasonAndAddsToWhatIsThere) {
  VmSample vm = sample_with(0, 0);
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) {
    if (metric(id).type == Type::integer) vm.values.set_integer(id, 1);
  }
  vm.values.set_absent(metric_id("vm_totals.memrss"), Absence::unsupported);
  vm.values.set_absent(metric_id("vm_totals.memusable"), Absence::not_reported);
  vm.values.set_absent(metric_id("vm_features.net_rxbytes_rate"), Absence::no_rate);
  AbsenceCounts counts{};
  count_absences(vm, counts);
  count_absences(vm, counts);
  EXPECT_EQ(count_of(counts, Absence::unsupported), 2u);
  EXPECT_EQ(count_of(counts, Absence::not_reported), 2u);
  EXPECT_EQ(count_of(counts, Absence::no_rate), 0u);
  EXPECT_EQ(count_of(counts, Absence::none), 0u);
}

}  // namespace
}  // namespace virtmeter
