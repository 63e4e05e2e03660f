#include "source/libvirt/domain_xml.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using Names = std::vector<std::string>;

std::string with_devices(std::string_view devices) {
  return fmt::format("<domain type='kvm'><name>web</name><devices>{}</devices></domain>", devices);
}

TEST(DomainXml, ListsNicsAndDisksByTarget) {
  const auto devices = parse_domain_xml(with_devices(R"(
    <disk type='file' device='disk'><source file='/a'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>
    <disk type='file' device='floppy'><target dev='fda' bus='fdc'/></disk>
    <disk type='block' device='lun'><target dev='sdb' bus='scsi'/></disk>
    <disk type='file'><target dev='vdb' bus='virtio'/></disk>
    <interface type='bridge'><source bridge='br0'/><target dev='vnet0'/></interface>
    <interface type='user'><model type='virtio'/></interface>
    <interface type='ethernet'><target dev='tap&lt;1&gt;'/></interface>)"));
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->disks, (Names{"vda", "vdb"}));
  EXPECT_EQ(devices->other, (Names{"sda", "fda", "sdb"}));
  EXPECT_EQ(devices->nics, (Names{"vnet0", "tap<1>"}));
}

TEST(DomainXml, ListsATargetOnce) {
  const auto devices = parse_domain_xml(with_devices(
      "<interface><target dev='vnet0'/></interface><interface><target dev='vnet0'/></interface>"));
  EXPECT_EQ(devices->nics, (Names{"vnet0"}));
}

TEST(DomainXml, AcceptsADomainWithoutDevices) {
  EXPECT_TRUE(parse_domain_xml("<domain/>")->nics.empty());
  EXPECT_TRUE(parse_domain_xml(with_devices(""))->disks.empty());
}

TEST(DomainXml, AcceptsALongDescriptionAndAHundredDisks) {
  std::string disks;
  for (int i = 0; i < 100; ++i) disks += fmt::format("<disk device='disk'><target dev='vd{}'/></disk>", i);
  const auto devices = parse_domain_xml(fmt::format(
      "<domain><description>{}</description><devices>{}</devices></domain>", std::string(16000, 'x'), disks));
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->disks.size(), 100u);
}

TEST(DomainXml, RefusesWhatIsNoDomain) {
  for (const std::string_view xml :
       {"", "<domain", "<domain><devices></domain>", "<network/>", "garbage", "\xFF\xFE"}) {
    const auto devices = parse_domain_xml(xml);
    ASSERT_FALSE(devices) << xml;
    EXPECT_EQ(devices.error().code, Errc::corrupt) << xml;
  }
}

TEST(DomainXml, DoesNotExpandEntities) {
  const auto devices = parse_domain_xml(
      "<!DOCTYPE domain [<!ENTITY a 'vnet9'>]><domain><devices><interface><target "
      "dev='&a;'/></interface></devices></domain>");
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->nics, (Names{"&a;"}));
}

TEST(DomainXml, ReadsThePeriodOfTheGuestsStatistics) {
  const auto check = [](std::string_view balloon, int want_seconds) {
    const auto devices = parse_domain_xml(with_devices(std::string(balloon)));
    ASSERT_TRUE(devices) << balloon;
    EXPECT_EQ(devices->balloon_period, std::chrono::seconds(want_seconds)) << balloon;
  };
  check("<memballoon model='virtio'><stats period='10'/></memballoon>", 10);
  check("<memballoon model='virtio'/>", 0);
  check("", 0);
  check("<memballoon><stats period='often'/></memballoon>", 0);
  check("<memballoon><stats period='4000000000'/></memballoon>", 86'400);
}

TEST(DomainXml, BoundsSizeAndCounts) {
  EXPECT_EQ(parse_domain_xml(std::string(kDomainXmlBytesMax + 1, ' ')).error().code, Errc::limit);
  std::string nics;
  for (std::size_t i = 0; i <= kDevicesPerVmMax; ++i)
    nics += fmt::format("<interface><target dev='v{}'/></interface>", i);
  EXPECT_EQ(parse_domain_xml(with_devices(nics)).error().code, Errc::limit);
}

}  // namespace
}  // namespace virtmeter
