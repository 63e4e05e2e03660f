// Runs against libvirt's own test driver, in this process, with device lists told in its stead.
#include "source/libvirt/device_directory.h"

#include <gtest/gtest.h>

#include "source/libvirt/event_loop.h"
#include "source/libvirt/faulty_connector.h"
#include "source/libvirt/libvirt_connector.h"

namespace virtmeter {
namespace {

class DeviceDirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(LibvirtEventLoop::prepare());
    ASSERT_TRUE(connector_.connect());
    std::vector<LiveVm> listed;
    ASSERT_TRUE(connector_.get_live_vms(listed));
    live_ = std::move(listed.front());
    connector_.devices = [this](const std::string&) { return list_; };
  }

  // The layout after a record that names these NICs.
  std::shared_ptr<const VmLayout> confirmed(const std::vector<const char*>& nics) {
    virTypedParameterPtr params = nullptr;
    int count = 0;
    int capacity = 0;
    virTypedParamsAddUInt(&params, &count, &capacity, "net.count", static_cast<unsigned int>(nics.size()));
    for (std::size_t i = 0; i < nics.size(); ++i) {
      virTypedParamsAddString(&params, &count, &capacity, fmt::format("net.{}.name", i).c_str(), nics[i]);
    }
    auto layout = directory_.confirm(live_, directory_.find(live_),
                                     BulkRecord({params, static_cast<std::size_t>(count)}));
    virTypedParamsFree(params, count);
    return layout;
  }

  ManualClock clock_;
  LimitedLog log_{clock_};
  CallWatch watch_{clock_, [](std::uint64_t) {}};
  FaultyConnector connector_{std::make_unique<LibvirtConnector>(
      "test:///default", *parse_libvirt_uri("test:///default"), watch_, CallLimits{})};
  DeviceDirectory directory_{connector_, clock_, log_, std::chrono::seconds(300)};
  LiveVm live_;
  DeviceList list_{{"vnet0"}, {"vda"}, {"sda"}};
};

TEST_F(DeviceDirectoryTest, ReadsXmlOnceForAStableVm) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(confirmed({"vnet0"})->nics, list_.nics);
  EXPECT_EQ(directory_.xml_reads(), 1u);
}

TEST_F(DeviceDirectoryTest, FindsAPluggedDeviceInTheSameCycle) {
  confirmed({"vnet0"});
  list_.nics = {"vnet0", "vnet1"};
  EXPECT_EQ(confirmed({"vnet0", "vnet1"})->nics, list_.nics);
  EXPECT_EQ(directory_.xml_reads(), 2u);
}

TEST_F(DeviceDirectoryTest, FindsAnUnpluggedDeviceInTheSameCycle) {
  list_.nics = {"vnet0", "vnet1"};
  confirmed({"vnet0", "vnet1"});
  list_.nics = {"vnet0"};
  EXPECT_EQ(confirmed({"vnet0"})->nics, list_.nics);
}

TEST_F(DeviceDirectoryTest, DoesNotReadXmlForEverOverADifferenceThatStays) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(confirmed({"vnet0", "slirp0"})->nics, list_.nics);
  EXPECT_EQ(directory_.xml_reads(), 2u);
  confirmed({"vnet0", "slirp1"});
  EXPECT_EQ(directory_.xml_reads(), 3u) << "another difference is another reason";
}

TEST_F(DeviceDirectoryTest, ReadsXmlAgainAfterAnEvent) {
  confirmed({"vnet0"});
  directory_.invalidate({.uuids = {live_.uuid}, .events = 1});
  confirmed({"vnet0"});
  EXPECT_EQ(directory_.xml_reads(), 2u);
}

TEST_F(DeviceDirectoryTest, FollowsARenameWithoutReadingXml) {
  const auto before = directory_.find(live_);
  live_.name = "renamed";
  const auto after = directory_.find(live_);
  EXPECT_EQ(before->name, "test") << "what was published does not change";
  EXPECT_EQ(after->name, "renamed");
  EXPECT_EQ(after->nics, before->nics);
  EXPECT_EQ(directory_.xml_reads(), 1u);
}

TEST_F(DeviceDirectoryTest, HasNoLayoutForAVmThatHasGone) {
  connector_.fault = [](auto, auto, auto) { return Error{Errc::not_found, "no such domain", ""}; };
  EXPECT_EQ(directory_.find(live_), nullptr);
}

TEST_F(DeviceDirectoryTest, AdmitsThatItDoesNotKnow) {
  connector_.fault = [](auto, auto, auto) { return Error{Errc::corrupt, "domain XML: bad", ""}; };
  const auto layout = directory_.find(live_);
  EXPECT_FALSE(layout->devices_known);
  EXPECT_EQ(layout->name, "test");
  EXPECT_EQ(directory_.xml_failures(), 1u);
}

}  // namespace
}  // namespace virtmeter
