// Any bytes as a domain's XML: reading them ends, and what is listed keeps its bounds.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "input.h"
#include "source/libvirt/domain_xml.h"

namespace virtmeter {
namespace {

void check_list(const std::vector<std::string>& names) {
  CHECK(names.size() <= kDevicesPerVmMax);
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
  CHECK(std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return !name.empty() && name.size() <= kDeviceNameBytesMax;
  }));
}

void check_xml(std::string_view xml) {
  const Result<DeviceList> devices = parse_domain_xml(xml);
  if (!devices) {
    CHECK(!devices.error().message.empty());
    return;
  }
  check_list(devices.value().nics);
  check_list(devices.value().disks);
  check_list(devices.value().other);
}

}  // namespace
}  // namespace virtmeter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  virtmeter::check_xml(virtmeter::fuzz::text_of(data, size));
  return 0;
}
