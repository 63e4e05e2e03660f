#include "source/libvirt/domain_xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <pugixml.hpp>

namespace virtmeter {
namespace {

constexpr unsigned int kPeriodMax = 86'400;

// False when the list is full. A device without a target, or with a target that was listed already, is
// skipped.
bool add_target(const pugi::xml_node& device, std::vector<std::string>& list) {
  const char* target = device.child("target").attribute("dev").value();
  const std::size_t length = std::strlen(target);
  if (length == 0 || length > kDeviceNameBytesMax) return true;
  if (std::find(list.begin(), list.end(), target) != list.end()) return true;
  if (list.size() == kDevicesPerVmMax) return false;
  list.emplace_back(target);
  return true;
}

// A disk without the attribute is a disk (libvirt's domain format); a lun is a disk passed through.
bool is_disk(const pugi::xml_node& device) {
  const std::string_view kind = device.attribute("device").as_string("disk");
  return kind == "disk";
}

}  // namespace

Result<DeviceList> parse_domain_xml(std::string_view xml) {
  if (xml.size() > kDomainXmlBytesMax) {
    return Error{Errc::limit,
                 fmt::format("domain XML: {} bytes, more than {}", xml.size(), kDomainXmlBytesMax), ""};
  }
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(
      xml.data(), xml.size(), pugi::parse_minimal | pugi::parse_escapes | pugi::parse_wconv_attribute);
  if (!parsed) {
    return Error{Errc::corrupt, fmt::format("domain XML: {} at byte {}", parsed.description(), parsed.offset),
                 ""};
  }
  const pugi::xml_node domain = document.child("domain");
  if (!domain) return Error{Errc::corrupt, "domain XML: no <domain> element", ""};

  DeviceList devices;
  const pugi::xml_node balloon = domain.child("devices").child("memballoon");
  devices.balloon_period =
      std::chrono::seconds(std::min(balloon.child("stats").attribute("period").as_uint(), kPeriodMax));
  for (const pugi::xml_node& device : domain.child("devices").children()) {
    bool fits = true;
    if (std::strcmp(device.name(), "interface") == 0) {
      fits = add_target(device, devices.nics);
    } else if (std::strcmp(device.name(), "disk") == 0) {
      fits = add_target(device, is_disk(device) ? devices.disks : devices.other);
    }
    if (!fits)
      return Error{Errc::limit, fmt::format("domain XML: more than {} devices", kDevicesPerVmMax), ""};
  }
  return devices;
}

}  // namespace virtmeter
