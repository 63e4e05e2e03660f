// The tags of the lines, in the bytewise order in which they are written: servers sort by key, and lines that
// arrive sorted cost them nothing. The encoder and `virtmeter schema` derive from this table.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "model/catalog.h"

namespace virtmeter {

enum class TagSource : std::uint8_t { domain_id, device, devtype, host, name, sink, uuid };

struct Tag {
  std::string_view key;
  TagSource source;
  std::string_view help;  // One sentence.
};

inline constexpr auto kTags = std::to_array<Tag>({
    {"VMID", TagSource::domain_id, "The VM's id in libvirt, decimal; a new one each time the VM is started."},
    {"device", TagSource::device,
     "Name of the device on the host (vnet0) or in the guest's configuration (vda)."},
    {"devtype", TagSource::devtype, "Which kind of device: nic or disk."},
    {"host", TagSource::host, "The hypervisor; only where more than one is configured, or when asked for."},
    {"name", TagSource::name, "Name of the VM."},
    {"sink", TagSource::sink, "Which sink: influx or file."},
    {"uuid", TagSource::uuid, "UUID of the VM."},
});

constexpr bool has_tag(Line line, TagSource tag) {
  if (info(line).scope == Scope::collector) return false;
  if (info(line).scope == Scope::sink) return tag == TagSource::sink || tag == TagSource::host;
  if (tag == TagSource::sink) return false;
  if (tag == TagSource::device || tag == TagSource::devtype) return !info(line).devtype.empty();
  return true;
}

namespace tag_checks {

constexpr bool sorted_bytewise() {
  return std::is_sorted(kTags.begin(), kTags.end(), [](const Tag& a, const Tag& b) { return a.key < b.key; });
}

// InfluxDB 3 has one column for a tag and a field of one name, and one of the two would be refused.
constexpr bool differ_from_fields() {
  for (const Metric& row : kCatalog) {
    for (const Tag& tag : kTags) {
      if (row.name == tag.key || row.name == "time") return false;
    }
  }
  return true;
}

static_assert(sorted_bytewise(), "tags stand in bytewise order of their keys");
static_assert(differ_from_fields(), "no field is named like a tag, or time");

}  // namespace tag_checks
}  // namespace virtmeter
