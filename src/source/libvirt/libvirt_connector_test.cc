// Runs against libvirt's own test driver, in this process.
#include "source/libvirt/libvirt_connector.h"

#include <gtest/gtest.h>

#include <thread>

#include "source/libvirt/event_loop.h"

namespace virtmeter {
namespace {

class LibvirtConnectorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(LibvirtEventLoop::prepare());
    ASSERT_TRUE(connector_.connect());
    std::vector<LiveVm> vms;
    ASSERT_TRUE(connector_.get_live_vms(vms));
    ASSERT_EQ(vms.size(), 1u);
    vm_ = std::move(vms.front());
  }

  const SystemClock clock_{};
  CallWatch watch_{clock_, [](std::uint64_t) {}};
  LibvirtConnector connector_{"test:///default", *parse_libvirt_uri("test:///default"), watch_, {}};
  LiveVm vm_;
};

TEST_F(LibvirtConnectorTest, ListsActiveVmsWithTheirHandles) {
  EXPECT_EQ(vm_.name, "test");
  EXPECT_EQ(vm_.domain_id, 1);
  EXPECT_EQ(vm_.uuid.text(), "6695eb01-f6a4-8304-79aa-97f2502e193f");
  EXPECT_NE(vm_.domain, nullptr);
  EXPECT_EQ(vm_.state, VIR_DOMAIN_RUNNING);
  EXPECT_TRUE(vm_.runs());
}

TEST_F(LibvirtConnectorTest, ListsAgainIntoTheSameStorage) {
  ConnectHandle other(virConnectOpen("test:///default"));
  DomainHandle domain(virDomainLookupByName(other.get(), "test"));
  ASSERT_EQ(virDomainSuspend(domain.get()), 0);
  std::vector<LiveVm> vms(7);
  ASSERT_TRUE(connector_.get_live_vms(vms));
  ASSERT_EQ(virDomainResume(domain.get()), 0);
  ASSERT_EQ(vms.size(), 1u);
  EXPECT_TRUE(vms[0].paused());
  EXPECT_FALSE(vms[0].runs() || vms[0].starting());
}

TEST_F(LibvirtConnectorTest, ReadsTheDevices) {
  const auto devices = connector_.get_devices_for_vm(vm_);
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->nics, std::vector<std::string>{"testnet0"});
  EXPECT_EQ(devices->disks, std::vector<std::string>{"vda"});
}

TEST_F(LibvirtConnectorTest, ReadsEachGroupCallByCall) {
  VmValues values;
  ASSERT_TRUE(connector_.get_info(vm_, values));
  EXPECT_EQ(values.integer(metric_id("vm_totals.state")), 1);
  EXPECT_EQ(values.integer(metric_id("vm_metrics.memory_used_kb")), 2097152);
  ASSERT_TRUE(connector_.get_memory_stats(vm_, values));
  EXPECT_TRUE(values.has(metric_id("vm_totals.memrss")));
  ASSERT_TRUE(connector_.get_cpu_stats(vm_, values));
  EXPECT_TRUE(values.has(metric_id("vm_totals.timesys")));

  NicValues nic;
  ASSERT_TRUE(connector_.get_interface_stats(vm_, "testnet0", nic));
  EXPECT_TRUE(nic.has(metric_id("nic.txdrops")));
  DiskValues disk;
  ASSERT_TRUE(connector_.get_block_stats(vm_, "vda", disk));
  EXPECT_TRUE(disk.has(metric_id("disk.wr_bytes")));
}

TEST_F(LibvirtConnectorTest, LeavesAloneWhatBulkHasRead) {
  VmValues values;
  values.set_integer(metric_id("vm_metrics.cputime_ns"), 5);
  ASSERT_TRUE(connector_.get_info(vm_, values));
  EXPECT_EQ(values.integer(metric_id("vm_metrics.cputime_ns")), 5);
}

TEST_F(LibvirtConnectorTest, ReportsTheFailureOfOneDevice) {
  NicValues nic;
  const Status status = connector_.get_interface_stats(vm_, "nonet", nic);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message.substr(0, 27), "read interface statistics: ");
}

TEST_F(LibvirtConnectorTest, GivesARecordForEachVm) {
  std::size_t records = 0;
  const LiveVm* wanted = &vm_;
  ASSERT_TRUE(connector_.get_bulk_stats({.vms = {&wanted, 1}}, [&](const Uuid& uuid, auto params) {
    ++records;
    EXPECT_EQ(uuid, vm_.uuid);
    EXPECT_FALSE(params.empty());
  }));
  EXPECT_EQ(records, 1u);
}

TEST_F(LibvirtConnectorTest, HearsOfAChangedVm) {
  EXPECT_TRUE(connector_.take_invalidations().every_vm) << "after connecting, nothing is known";
  // The test driver delivers events from the event loop, as the daemon's do.
  LibvirtEventLoop loop;
  std::thread runner([&] { loop.run(); });
  ConnectHandle other(virConnectOpen("test:///default"));
  DomainHandle domain(virDomainLookupByName(other.get(), "test"));
  ASSERT_EQ(virDomainSuspend(domain.get()), 0);
  ASSERT_EQ(virDomainResume(domain.get()), 0);
  DomainHandle added(virDomainCreateXML(
      other.get(),
      "<domain type='test'><name>added</name><memory>1024</memory><os><type>hvm</type></os></domain>", 0));
  ASSERT_NE(added, nullptr);
  Connector::Invalidations heard;
  while (heard.uuids.empty()) heard = connector_.take_invalidations();
  virDomainDestroy(added.get());
  loop.stop();
  runner.join();
  EXPECT_NE(heard.uuids.front(), vm_.uuid) << "pausing changes no device";
}

TEST_F(LibvirtConnectorTest, IsAliveUntilItIsDisconnected) {
  EXPECT_TRUE(connector_.alive());
  EXPECT_NE(connector_.version().find("libvirt "), std::string::npos);
  vm_.domain.reset();
  connector_.disconnect();
  EXPECT_FALSE(connector_.alive());
}

}  // namespace
}  // namespace virtmeter
