// What a metric is: one row of the catalog (catalog.h). Plain constants, no I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace virtmeter {

// One kind of output line: a measurement, and for devices which of them. The order is the order of output.
enum class Line : std::uint8_t {
  vm_metrics,
  vm_features,
  vm_totals,
  nic,
  disk,
  vm_health,
  collector_latency,
  collector_stats
};
inline constexpr std::size_t kLineCount = 8;

// What one value belongs to. Values of one scope lie side by side in one Values array.
enum class Scope : std::uint8_t { vm, nic, disk, health, collector, sink };

enum class Kind : std::uint8_t {
  counter,  // Only grows during one life of the VM.
  gauge,    // Any value at any time.
  state,    // A code or a name out of a fixed list.
};

enum class Type : std::uint8_t { integer, real, text };

enum class Unit : std::uint8_t {
  none,
  bytes,
  packets,
  requests,
  errors,
  faults,
  kib,
  vcpus,
  vms,
  lines,
  cycles,
  values,
  nanoseconds,
  milliseconds,
  degrees,
  kib_per_second,
  bytes_per_second,
  packets_per_second,
  requests_per_second,
};

// Where a row's value comes from. The texts are also the documentation of the row.
enum class How : std::uint8_t {
  read,   // Read from the hypervisor: `kernel`, else `bulk`, else `call` where bulk does not give the group.
  copy,   // The value of the row `of`, in another measurement.
  label,  // The name of the code in the row `of`.
  sum,    // The sum of the row `of` over the VM's devices.
  rate,   // The change of the row `of` per second since the VM's previous cycle.
  angle,  // degrees(atan(rate)) of the rate row `of`.
  timed,  // Measured by the collector itself.
};

struct Origin {
  How how = How::timed;
  std::string_view
      bulk;  // Key in a record of virDomainListGetStats; for devices behind "net.<n>." or "block.<n>.".
  std::string_view call;  // "<per-domain call>.<field>", e.g. "memory.rss".
  std::string_view of;    // "<line>.<name>" of another row.
  // What the host's kernel knows of it, read first where that is possible; empty: nothing.
  std::string_view kernel = {};
};

struct Metric {
  Line line = Line::vm_metrics;
  std::string_view name;
  Kind kind = Kind::gauge;
  Type type = Type::integer;
  Unit unit = Unit::none;
  Origin origin;
  std::string_view help;   // One sentence.
  std::string_view since;  // The first libvirt that reports it in bulk; empty: 6.0 or older.
};

struct LineInfo {
  std::string_view key;          // How other rows and the code name it: "nic".
  std::string_view measurement;  // As written: "vm_devices".
  std::string_view devtype;      // Value of the tag devtype; empty: none.
  Scope scope;
};

inline constexpr std::array<LineInfo, kLineCount> kLines = {{
    {"vm_metrics", "vm_metrics", "", Scope::vm},
    {"vm_features", "vm_features", "", Scope::vm},
    {"vm_totals", "vm_totals", "", Scope::vm},
    {"nic", "vm_devices", "nic", Scope::nic},
    {"disk", "vm_devices", "disk", Scope::disk},
    {"vm_health", "vm_health", "", Scope::health},
    {"collector_latency", "collector_latency", "", Scope::collector},
    {"collector_stats", "collector_stats", "", Scope::sink},
}};

constexpr const LineInfo& info(Line line) { return kLines[static_cast<std::size_t>(line)]; }

std::string_view name_of(Kind kind);
std::string_view name_of(Type type);
std::string_view name_of(Unit unit);

}  // namespace virtmeter
