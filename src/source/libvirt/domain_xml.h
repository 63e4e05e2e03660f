// The devices of a domain, out of its XML. The XML comes from libvirt but holds strangers' text: size
// and counts are bounded, entities are not expanded (pugixml knows no DTD entities). Pure function.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace virtmeter {

inline constexpr std::size_t kDomainXmlBytesMax = 4u << 20;  // libvirt's own limit of a string on the wire.
inline constexpr std::size_t kDevicesPerVmMax = 1024;        // Of each kind; more is no VM that QEMU can run.
inline constexpr std::size_t kDeviceNameBytesMax = 256;

struct DeviceList {
  std::vector<std::string> nics;   // /domain/devices/interface/target/@dev, each once.
  std::vector<std::string> disks;  // /domain/devices/disk[@device='disk']/target/@dev, each once.
  std::vector<std::string>
      other;  // Targets of cdroms, floppies and LUNs: known to bulk statistics, not counted.
  // How often the guest tells its memory statistics (memballoon/stats/@period); 0: it does not.
  std::chrono::seconds balloon_period{0};
};

Result<DeviceList> parse_domain_xml(std::string_view xml);

}  // namespace virtmeter
