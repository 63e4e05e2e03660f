#include "daemon/hypervisor.h"

#include <gtest/gtest.h>

#include "source/libvirt/event_loop.h"

namespace virtmeter {
namespace {

TEST(Hypervisor, OpensTheSourceOfTheSettings) {
  ASSERT_TRUE(LibvirtEventLoop::prepare());
  const SystemClock clock;
  Settings settings;
  settings.libvirt_uri = "test:///default";
  auto source = open_hypervisor(settings, clock);
  ASSERT_TRUE(source);
  std::vector<VmSample> vms;
  EXPECT_TRUE((*source)->read(vms));
  EXPECT_EQ(vms.size(), 1u);
  EXPECT_EQ((*source)->status().target, "test:///default");
}

TEST(Hypervisor, PlaysARecording) {
  const SystemClock clock;
  Settings settings;
  settings.libvirt_uri =
      "replay://" VIRTMETER_SOURCE_DIR "/src/source/replay/testdata/lab.lp?vms=12&nics=2&disks=3";
  auto source = open_hypervisor(settings, clock);
  ASSERT_TRUE(source);
  std::vector<VmSample> vms;
  EXPECT_TRUE((*source)->read(vms));
  EXPECT_EQ(vms.size(), 12u);
  settings.libvirt_uri = "replay:///nowhere";
  EXPECT_FALSE(open_hypervisor(settings, clock));
}

TEST(Hypervisor, RefusesAnAddressThatCannotBe) {
  const SystemClock clock;
  Settings settings;
  settings.libvirt_uri = "kvm:///system";
  EXPECT_FALSE(open_hypervisor(settings, clock));
}

TEST(Hypervisor, AsksTheKernelForALocalQemuUnlessToldNot) {
  const auto check = [](Settings::SourceKind source, const std::string& uri, bool want) {
    Settings settings;
    settings.source = source;
    settings.libvirt_uri = uri;
    EXPECT_EQ(asks_kernel(settings), want) << uri;
  };
  check(Settings::SourceKind::automatic, "qemu:///system", true);
  check(Settings::SourceKind::libvirt, "qemu:///system", false);
  check(Settings::SourceKind::automatic, "qemu+ssh://host/system", false);
  check(Settings::SourceKind::automatic, "test:///default", false);
  check(Settings::SourceKind::automatic, "kvm:///system", false);
}

TEST(Hypervisor, TakesThePolicyOverFromTheSettings) {
  Settings settings;
  EXPECT_EQ(missing_policy(settings), MissingPolicy::zero);
  settings.missing = Settings::Missing::omit;
  EXPECT_EQ(missing_policy(settings), MissingPolicy::omit);
}

}  // namespace
}  // namespace virtmeter
