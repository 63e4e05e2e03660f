// Runs against libvirt's own test driver, in this process: per-domain calls answer, bulk gives the state
// only.
#include "source/libvirt/libvirt_source.h"

#include <gtest/gtest.h>

#include "source/libvirt/test_node.h"

namespace virtmeter {
namespace {

using std::chrono::seconds;

constexpr MetricId kRx = metric_id("nic.rxbytes");
constexpr MetricId kReads = metric_id("disk.rd_req");
constexpr MetricId kCpuTime = metric_id("vm_metrics.cputime_ns");

class LibvirtSourceTest : public test::NodeTest {};

TEST_F(LibvirtSourceTest, ReadsTheDefaultTestDomainCallByCall) {
  open("test:///default");
  const auto vms = read();
  ASSERT_TRUE(status_) << status_.error().message;
  ASSERT_EQ(vms.size(), 1u);
  const VmSample& vm = vms[0];
  EXPECT_EQ(vm.layout->name, "test");
  EXPECT_EQ(vm.values.integer(metric_id("vm_totals.state")), 1);
  EXPECT_EQ(vm.values.integer(metric_id("vm_metrics.cpu_count")), 2);
  EXPECT_EQ(vm.values.integer(metric_id("vm_metrics.memory_max_kb")), 8388608);
  EXPECT_TRUE(vm.values.has(kCpuTime));
  EXPECT_TRUE(vm.values.has(metric_id("vm_totals.timeusr")));
  EXPECT_GT(source_->status().fallback_calls, 0u);
  EXPECT_TRUE(source_->status().connected);
}

TEST_F(LibvirtSourceTest, ReadsEveryDeviceOfANode) {
  open(node_uri(3));
  const auto vms = read();
  ASSERT_EQ(vms.size(), 3u);
  for (const VmSample& vm : vms) {
    ASSERT_EQ(vm.nics.size(), 2u);
    ASSERT_EQ(vm.disks.size(), 3u);
    for (const NicValues& nic : vm.nics) EXPECT_TRUE(nic.has(kRx));
    for (const DiskValues& disk : vm.disks) EXPECT_TRUE(disk.has(kReads));
  }
}

TEST_F(LibvirtSourceTest, ParsesNoXmlOnAStableHost) {
  open(node_uri(10));
  for (int cycle = 0; cycle < 40; ++cycle) {
    ASSERT_EQ(read().size(), 10u);
    clock_.advance(seconds(5));
  }
  const SourceStatus status = source_->status();
  EXPECT_EQ(status.xml_reads, 10u);
  EXPECT_EQ(status.cache_entries, 10u);
  EXPECT_GE(100 * status.cache_hits / (status.cache_hits + status.cache_misses), 95u);
  EXPECT_LE(status.cache_bytes / 10, 1536u);
}

TEST_F(LibvirtSourceTest, ReadsXmlAgainWhenTheTtlIsOver) {
  open(node_uri(2));
  read();
  clock_.advance(seconds(301));
  read();
  EXPECT_EQ(source_->status().xml_reads, 4u);
}

TEST_F(LibvirtSourceTest, LosesOneDeviceWhenItsCallFails) {
  open(node_uri(2));
  connector_->fault = [](auto operation, auto vm, auto device) -> std::optional<Error> {
    if (operation == "get_interface_stats" && vm == "vm0" && device == "t0b") return failed();
    return std::nullopt;
  };
  const auto vms = read();
  ASSERT_EQ(vms.size(), 2u);
  EXPECT_TRUE(vms[0].nics[0].has(kRx));
  EXPECT_EQ(vms[0].nics[1].absence(kRx), Absence::call_failed);
  EXPECT_TRUE(vms[0].disks[2].has(kReads));
  EXPECT_TRUE(vms[1].nics[1].has(kRx));
  EXPECT_EQ(source_->status().failed_calls, 1u);
}

TEST_F(LibvirtSourceTest, LosesOneVmsValuesWhenItsInfoFails) {
  open(node_uri(3));
  connector_->fault = [](auto operation, auto vm, auto) -> std::optional<Error> {
    if (operation == "get_info" && vm == "vm1") return failed();
    return std::nullopt;
  };
  const auto vms = read();
  ASSERT_EQ(vms.size(), 3u);
  EXPECT_EQ(vms[1].values.absence(metric_id("vm_metrics.cpu_count")), Absence::call_failed);
  EXPECT_TRUE(vms[1].nics[0].has(kRx));
  EXPECT_TRUE(vms[0].values.has(kCpuTime) && vms[2].values.has(kCpuTime));
}

TEST_F(LibvirtSourceTest, LeavesOutAVmThatVanishesWhileItIsRead) {
  open(node_uri(3));
  connector_->fault = [](auto operation, auto vm, auto) -> std::optional<Error> {
    if (operation == "get_memory_stats" && vm == "vm1") return Error{Errc::not_found, "no such domain", ""};
    return std::nullopt;
  };
  const auto vms = read();
  ASSERT_EQ(vms.size(), 2u);
  EXPECT_EQ(source_->status().vms_vanished, 1u);
}

TEST_F(LibvirtSourceTest, LeavesOutAVmThatVanishesBeforeItsXmlIsRead) {
  open(node_uri(2));
  connector_->fault = [](auto operation, auto vm, auto) -> std::optional<Error> {
    if (operation == "get_devices_for_vm" && vm == "vm0") return Error{Errc::not_found, "no such domain", ""};
    return std::nullopt;
  };
  EXPECT_EQ(read().size(), 1u);
}

TEST_F(LibvirtSourceTest, FindsTheOneVmThatFailsABulkCall) {
  open(node_uri(20), 8);
  connector_->fault = [](auto operation, auto vm, auto) -> std::optional<Error> {
    if (operation == "get_bulk_stats" && vm == "vm13") return failed();
    return std::nullopt;
  };
  const auto vms = read();
  ASSERT_EQ(vms.size(), 20u);
  for (const VmSample& vm : vms)
    EXPECT_EQ(vm.values.integer(metric_id("vm_totals.state")), 1) << vm.layout->name;
}

TEST_F(LibvirtSourceTest, DoesWithoutBulkWhereTheDriverHasNone) {
  open(node_uri(4), 2);
  connector_->fault = [](auto operation, auto, auto) -> std::optional<Error> {
    if (operation == "get_bulk_stats") return Error{Errc::invalid, "not supported by this driver", ""};
    return std::nullopt;
  };
  const auto vms = read();
  ASSERT_EQ(vms.size(), 4u);
  EXPECT_EQ(vms[3].values.integer(metric_id("vm_totals.state")), 1);
  EXPECT_EQ(source_->status().bulk_calls, 1u) << "asked once, not again";
  EXPECT_EQ(source_->status().failed_calls, 0u);
}

TEST_F(LibvirtSourceTest, DegradesAStatisticThatTheDaemonLacksWithoutAskingAgain) {
  open(node_uri(5));
  connector_->fault = [](auto operation, auto, auto) -> std::optional<Error> {
    if (operation == "get_cpu_stats") return Error{Errc::invalid, "not supported", ""};
    return std::nullopt;
  };
  const auto vms = read();
  for (const VmSample& vm : vms) {
    EXPECT_EQ(vm.values.absence(metric_id("vm_totals.timeusr")), Absence::unsupported);
    EXPECT_TRUE(vm.values.has(kCpuTime));
  }
  EXPECT_EQ(source_->status().failed_calls, 0u);
}

TEST_F(LibvirtSourceTest, SendsAVmWithoutDevicesWhenItsXmlMakesNoSense) {
  open(node_uri(2));
  connector_->fault = [](auto operation, auto vm, auto) -> std::optional<Error> {
    if (operation == "get_devices_for_vm" && vm == "vm0") return Error{Errc::corrupt, "domain XML: bad", ""};
    return std::nullopt;
  };
  auto vms = read();
  ASSERT_EQ(vms.size(), 2u);
  EXPECT_FALSE(vms[0].layout->devices_known);
  complete(vms[0]);
  EXPECT_EQ(vms[0].values.absence(metric_id("vm_totals.net_rxbytes")), Absence::call_failed)
      << "not a sum of none";
  EXPECT_TRUE(vms[0].values.has(kCpuTime));
  EXPECT_EQ(source_->status().xml_failures, 1u);
}

TEST_F(LibvirtSourceTest, KeepsTheKnownDevicesWhenXmlCannotBeRefreshed) {
  open(node_uri(1));
  read();
  connector_->fault = [](auto operation, auto, auto) -> std::optional<Error> {
    if (operation == "get_devices_for_vm") return failed();
    return std::nullopt;
  };
  clock_.advance(seconds(301));
  const auto vms = read();
  ASSERT_EQ(vms.size(), 1u);
  EXPECT_EQ(vms[0].nics.size(), 2u);
  EXPECT_TRUE(vms[0].nics[0].has(kRx));
}

TEST_F(LibvirtSourceTest, ReconnectsWithBackOff) {
  open(node_uri(1));
  ASSERT_EQ(read().size(), 1u);
  connector_->cut = true;
  bool refused = true;
  connector_->fault = [&](auto operation, auto, auto) -> std::optional<Error> {
    if (operation == "connect" && refused) return failed();
    return std::nullopt;
  };
  EXPECT_TRUE(read().empty());
  EXPECT_FALSE(status_);
  EXPECT_EQ(connector_->connects, 2u);
  EXPECT_TRUE(read().empty());
  EXPECT_EQ(connector_->connects, 2u) << "not before the back-off is over";
  clock_.advance(seconds(1));
  read();
  EXPECT_EQ(connector_->connects, 3u);
  clock_.advance(seconds(1));
  read();
  EXPECT_EQ(connector_->connects, 3u) << "twice as long now";
  refused = false;
  clock_.advance(seconds(1));
  EXPECT_EQ(read().size(), 1u);
  EXPECT_EQ(source_->status().reconnects, 1u);
  EXPECT_TRUE(source_->status().connected);
}

TEST_F(LibvirtSourceTest, SendsNoZerosForVmsThatALostConnectionLeftUnread) {
  open(node_uri(4), 2);
  connector_->fault = [&](auto operation, auto vm, auto) -> std::optional<Error> {
    if (operation == "get_bulk_stats" && vm == "vm2") connector_->cut = true;
    return connector_->cut ? std::optional<Error>(failed()) : std::nullopt;
  };
  const auto vms = read();
  EXPECT_LE(vms.size(), 3u);
  for (const VmSample& vm : vms) EXPECT_TRUE(vm.values.has(kCpuTime));
  EXPECT_EQ(source_->status().vms_unread, 4 - vms.size());
}

// What a daemon tells of a VM: without rss while another job holds it.
void visit_vm(const LiveVm& vm, const RecordVisitor& visit, bool held) {
  virTypedParameterPtr params = nullptr;
  int count = 0;
  int capacity = 0;
  virTypedParamsAddULLong(&params, &count, &capacity, "cpu.time", 7);
  virTypedParamsAddULLong(&params, &count, &capacity, "balloon.current", 1024);
  if (!held) virTypedParamsAddULLong(&params, &count, &capacity, "balloon.rss", 512);
  virTypedParamsAddUInt(&params, &count, &capacity, "block.count", 3);
  for (int i = 0; i < 3; ++i) {
    const std::string prefix = "block." + std::to_string(i);
    const std::string name = std::string("vd") + static_cast<char>('a' + i);
    virTypedParamsAddString(&params, &count, &capacity, (prefix + ".name").c_str(), name.c_str());
    if (!held) virTypedParamsAddULLong(&params, &count, &capacity, (prefix + ".rd.reqs").c_str(), 40);
  }
  visit(vm.uuid, {params, static_cast<std::size_t>(count)});
  virTypedParamsFree(params, count);
}

TEST_F(LibvirtSourceTest, AsksABusyVmOnceMoreAtTheEndOfTheCycle) {
  open(node_uri(2));
  int asked_again = 0;
  connector_->bulk = [&](auto vms, const RecordVisitor& visit) {
    if (vms.size() == 1) ++asked_again;
    for (const LiveVm* vm : vms) visit_vm(*vm, visit, vm->name == "vm1" && vms.size() == 2);
  };
  const auto vms = read();
  ASSERT_EQ(vms.size(), 2u);
  EXPECT_EQ(asked_again, 1);
  for (const VmSample& vm : vms) {
    EXPECT_EQ(vm.values.integer(metric_id("vm_totals.memrss")), 512);
    EXPECT_EQ(vm.disks[1].integer(kReads), 40);
  }
}

TEST_F(LibvirtSourceTest, KeepsWhatABusyVmCouldTellAndNamesTheReason) {
  open(node_uri(1));
  connector_->bulk = [&](auto vms, const RecordVisitor& visit) { visit_vm(*vms[0], visit, true); };
  testing::internal::CaptureStderr();
  const auto vms = read();
  read();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(vms[0].values.integer(kCpuTime), 7);
  EXPECT_EQ(vms[0].disks[0].absence(kReads), Absence::busy);
  EXPECT_EQ(vms[0].values.absence(metric_id("vm_totals.memrss")), Absence::busy);
  const std::size_t told = log.find("vm vm0: another job holds it");
  ASSERT_NE(told, std::string::npos) << log;
  EXPECT_EQ(log.find("another job holds it", told + 10), std::string::npos) << "once: " << log;
}

TEST_F(LibvirtSourceTest, CarriesTheTimeOfTheReading) {
  open(node_uri(1));
  const BootTime before = clock_.boot_now();
  EXPECT_EQ(read()[0].read_at, before);
}

TEST_F(LibvirtSourceTest, RefusesAWrongUriAtOnce) {
  const auto source = LibvirtSource::open({.uri = "qemu:///sytem"}, clock_, watch_);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().fix, "did you mean qemu:///system ?");
}

TEST_F(LibvirtSourceTest, NamesTheSocketThatNobodyServes) {
  const std::string uri = "qemu+unix:///system?socket=" + folder_ + "/absent";
  open(uri);
  read();
  ASSERT_FALSE(status_);
  EXPECT_EQ(status_.error().code, Errc::unavailable);
  EXPECT_EQ(status_.error().message,
            "E101 libvirt is not running: tried " + uri + " (" + folder_ + "/absent): no such socket");
}

}  // namespace
}  // namespace virtmeter
