// Against libvirt's test driver; what a pass means for a whole read is in libvirt_source_test.cc.
#include "source/libvirt/libvirt_pass.h"

#include <gtest/gtest.h>

#include "source/libvirt/test_node.h"

namespace virtmeter {
namespace {

class LibvirtPassTest : public test::NodeTest {
 protected:
  std::unique_ptr<LibvirtPass> make(const std::string& uri) {
    LibvirtSourceOptions options;
    options.uri = uri;
    auto faulty = std::make_unique<FaultyConnector>(
        std::make_unique<LibvirtConnector>(uri, *parse_libvirt_uri(uri), watch_, CallLimits{}));
    connector_ = faulty.get();
    return std::make_unique<LibvirtPass>(options, std::move(faulty), clock_);
  }

  std::vector<VmSample> storage_;
};

TEST_F(LibvirtPassTest, ListsTheVmsWithTheirLayoutsAndStates) {
  const auto pass = make(node_uri(3));
  ASSERT_TRUE(pass->begin(storage_));
  ASSERT_EQ(pass->readings().size(), 3u);
  EXPECT_EQ(storage_.size(), 3u);
  for (const VmReading& reading : pass->readings()) {
    EXPECT_EQ(reading.sample.layout->disks.size(), 3u);
    EXPECT_EQ(reading.sample.values.integer(metric_id("vm_totals.state")), 1);
  }
  pass->end();
}

TEST_F(LibvirtPassTest, AsksForNothingButWhatIsWanted) {
  const auto pass = make(node_uri(3));
  ASSERT_TRUE(pass->begin(storage_));
  auto readings = pass->readings();
  readings[0].wanted = {};
  readings[1].wanted = {StatGroup::block};
  readings[2].wanted = {StatGroup::cpu, StatGroup::interface};
  pass->read();
  const auto has_reads = [](const VmReading& vm) { return vm.sample.disks[0].has(metric_id("disk.rd_req")); };
  const auto has_cpu = [](const VmReading& vm) {
    return vm.sample.values.has(metric_id("vm_totals.timeusr"));
  };
  const auto has_rx = [](const VmReading& vm) { return vm.sample.nics[0].has(metric_id("nic.rxbytes")); };
  EXPECT_FALSE(has_reads(readings[0]) || has_cpu(readings[0]) || has_rx(readings[0]));
  EXPECT_TRUE(has_reads(readings[1]) && !has_cpu(readings[1]) && !has_rx(readings[1]));
  EXPECT_TRUE(!has_reads(readings[2]) && has_cpu(readings[2]) && has_rx(readings[2]));
  EXPECT_FALSE(connector_->asked.contains("vm0"));
  pass->end();
}

TEST_F(LibvirtPassTest, SaysThatItCannotConnect) {
  const auto pass = make(node_uri(1));
  connector_->fault = [](auto operation, auto, auto) -> std::optional<Error> {
    if (operation == "connect") return failed();
    return std::nullopt;
  };
  EXPECT_FALSE(pass->begin(storage_));
  EXPECT_FALSE(pass->status().connected);
  EXPECT_NE(pass->status().last_error, "");
}

}  // namespace
}  // namespace virtmeter
