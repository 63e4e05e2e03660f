#include "source/libvirt/bulk_record.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "source/libvirt/test_params.h"

namespace virtmeter {
namespace {

constexpr MetricId kRx = metric_id("nic.rxbytes");
constexpr MetricId kReads = metric_id("disk.rd_req");
constexpr MetricId kErrors = metric_id("disk.errors");

using test::Params;

VmSample sample_with(std::vector<std::string> nics, std::vector<std::string> disks) {
  auto layout = std::make_shared<VmLayout>();
  layout->nics = std::move(nics);
  layout->disks = std::move(disks);
  VmSample sample;
  sample.nics.resize(layout->nics.size());
  sample.disks.resize(layout->disks.size());
  sample.layout = std::move(layout);
  return sample;
}

TEST(BulkRecord, FillsTheVmsOwnRows) {
  Params params;
  params.integer("state.state", 3)
      .number("cpu.time", 12)
      .number("balloon.current", 65536)
      .uint("vcpu.current", 2);
  VmSample sample = sample_with({}, {});
  BulkRecord(params.span()).fill(sample);
  EXPECT_EQ(sample.values.integer(metric_id("vm_totals.state")), 3);
  EXPECT_EQ(sample.values.integer(metric_id("vm_metrics.cputime_ns")), 12);
  EXPECT_EQ(sample.values.integer(metric_id("vm_metrics.memory_used_kb")), 65536);
  EXPECT_EQ(sample.values.integer(metric_id("vm_totals.memactual")), 65536);
  EXPECT_EQ(sample.values.integer(metric_id("vm_metrics.cpu_count")), 2);
}

TEST(BulkRecord, MeetsDevicesByNameAndNotByIndex) {
  Params params;
  params.uint("net.count", 3)
      .text("net.0.name", "vnet1")
      .number("net.0.rx.bytes", 11)
      .text("net.2.name", "vnet0");
  params.number("net.2.rx.bytes", 22)
      .uint("block.count", 1)
      .text("block.0.name", "sda")
      .number("block.0.rd.reqs", 5);
  VmSample sample = sample_with({"vnet0", "vnet1"}, {"vda"});
  BulkRecord(params.span()).fill(sample);
  EXPECT_EQ(sample.nics[0].integer(kRx), 22);
  EXPECT_EQ(sample.nics[1].integer(kRx), 11);
  EXPECT_FALSE(sample.disks[0].has(kReads)) << "sda is a cdrom here, not vda";
}

TEST(BulkRecord, KnowsWhichGroupsWereAnswered) {
  Params all;
  all.number("cpu.time", 1).number("cpu.user", 1).number("balloon.current", 1).number("balloon.rss", 1);
  all.uint("vcpu.current", 1).uint("net.count", 0).uint("block.count", 0);
  const RecordGroups groups = BulkRecord(all.span()).groups();
  EXPECT_TRUE(groups.cpu && groups.user_time && groups.balloon && groups.vcpu && groups.nics && groups.disks);
  EXPECT_FALSE(groups.monitor_skipped());

  Params state_only;
  state_only.integer("state.state", 1);
  const RecordGroups few = BulkRecord(state_only.span()).groups();
  EXPECT_FALSE(few.cpu || few.balloon || few.vcpu || few.nics || few.disks);
}

TEST(BulkRecord, CallsAHeldVmBusyAndNotZero) {
  Params params;
  params.number("balloon.current", 65536).uint("block.count", 1).text("block.0.name", "vda");
  VmSample sample = sample_with({}, {"vda"});
  const BulkRecord record(params.span());
  record.fill(sample);
  explain_after_bulk(record.groups(), sample);
  EXPECT_EQ(sample.values.absence(metric_id("vm_totals.memrss")), Absence::busy);
  EXPECT_EQ(sample.disks[0].absence(kReads), Absence::busy);
  EXPECT_TRUE(sample.values.has(metric_id("vm_metrics.memory_used_kb")));
}

TEST(BulkRecord, KnowsAVmThatIsStillStarting) {
  const auto starting = [](int state, int reason) {
    Params params;
    params.integer("state.state", state).integer("state.reason", reason);
    return BulkRecord(params.span()).groups().starting;
  };
  EXPECT_TRUE(starting(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP));
  EXPECT_FALSE(starting(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER));
  EXPECT_FALSE(starting(VIR_DOMAIN_RUNNING, VIR_DOMAIN_PAUSED_STARTING_UP)) << "reasons are per state";
}

TEST(BulkRecord, TellsAGoneDeviceFromAnUncountedField) {
  Params params;
  params.number("balloon.current", 1).number("balloon.rss", 1).uint("net.count", 2);
  params.text("net.0.name", "vnet0").text("net.1.name", "vnet1").number("net.1.rx.bytes", 4);
  params.uint("block.count", 1).text("block.0.name", "vda").number("block.0.rd.reqs", 9);
  VmSample sample = sample_with({"vnet0", "vnet1"}, {"vda"});
  const BulkRecord record(params.span());
  record.fill(sample);
  explain_after_bulk(record.groups(), sample);
  EXPECT_EQ(sample.nics[0].absence(kRx), Absence::device_gone);
  EXPECT_EQ(sample.nics[1].integer(kRx), 4);
  EXPECT_EQ(sample.disks[0].absence(kErrors), Absence::unsupported);
  EXPECT_EQ(sample.values.absence(metric_id("vm_totals.memusable")), Absence::not_reported);
}

TEST(BulkRecord, RefusesNumbersThatCannotBe) {
  Params params;
  params.number("cpu.time", UINT64_MAX).integer("state.state", -1).text("balloon.rss", "lots");
  VmSample sample = sample_with({}, {});
  BulkRecord(params.span()).fill(sample);
  EXPECT_EQ(sample.values.absence(metric_id("vm_metrics.cputime_ns")), Absence::out_of_range);
  EXPECT_EQ(sample.values.absence(metric_id("vm_totals.state")), Absence::out_of_range);
  EXPECT_EQ(sample.values.absence(metric_id("vm_totals.memrss")), Absence::out_of_range);
}

TEST(BulkRecord, SurvivesKeysThatMakeNoSense) {
  Params params;
  params.number("net.", 1).number("net.x.rx.bytes", 1).number("net.4294967295.rx.bytes", 1).number("", 1);
  params.number("block.7.rd.reqs", 1).text("net.0.name", "").number("net.0.rx.bytes", 3);
  VmSample sample = sample_with({"vnet0"}, {"vda"});
  BulkRecord(params.span()).fill(sample);
  EXPECT_FALSE(sample.nics[0].has(kRx));
  EXPECT_FALSE(sample.disks[0].has(kReads));
}

TEST(BulkRecord, FingerprintsTheDeviceNames) {
  const auto fingerprint = [](const char* nic, const char* disk) {
    Params params;
    params.text("net.0.name", nic).text("block.0.name", disk).number("block.0.rd.reqs", 1);
    return BulkRecord(params.span()).device_fingerprint();
  };
  EXPECT_EQ(fingerprint("a", "b"), fingerprint("a", "b"));
  EXPECT_NE(fingerprint("a", "b"), fingerprint("b", "a"));
  EXPECT_NE(fingerprint("ab", "c"), fingerprint("a", "bc"));
}

}  // namespace
}  // namespace virtmeter
