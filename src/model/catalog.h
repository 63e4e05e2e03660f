// Every metric this program knows, once. To add a metric, add a row: the libvirt look-up, the encoders,
// `virtmeter schema` and docs/metrics.md derive from it, and the compiler refuses a row that does not fit.
//
// Rows of one line kind stand together, lines of one scope stand together, and the order of rows is the order
// of fields in the output. The names of the four core measurements are frozen (docs/metrics.md).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/metric.h"

namespace virtmeter {
namespace catalog_rows {

constexpr Origin read(std::string_view bulk, std::string_view call, std::string_view kernel = {}) {
  return {How::read, bulk, call, "", kernel};
}
constexpr Origin from(How how, std::string_view of) { return {how, "", "", of}; }

constexpr auto metrics_row = [](std::string_view name, Kind kind, Unit unit, Origin origin,
                                std::string_view help) {
  return Metric{Line::vm_metrics, name, kind, Type::integer, unit, origin, help, ""};
};
constexpr auto totals_row = [](std::string_view name, Kind kind, Unit unit, Origin origin,
                               std::string_view help) {
  return Metric{Line::vm_totals, name, kind, Type::integer, unit, origin, help, ""};
};
constexpr auto total = [](std::string_view name, Unit unit, std::string_view of, std::string_view help) {
  return totals_row(name, Kind::counter, unit, from(How::sum, of), help);
};
constexpr auto nic_row = [](std::string_view name, Unit unit, Origin origin, std::string_view help) {
  return Metric{Line::nic, name, Kind::counter, Type::integer, unit, origin, help, ""};
};
constexpr auto disk_row = [](std::string_view name, Unit unit, Origin origin, std::string_view help) {
  return Metric{Line::disk, name, Kind::counter, Type::integer, unit, origin, help, ""};
};
constexpr auto rate = [](std::string_view name, Unit unit, std::string_view of, std::string_view help) {
  return Metric{Line::vm_features, name, Kind::gauge, Type::real, unit, from(How::rate, of), help, ""};
};
constexpr auto angle = [](std::string_view name, std::string_view of, std::string_view help) {
  return Metric{Line::vm_features,    name, Kind::gauge, Type::real, Unit::degrees,
                from(How::angle, of), help, ""};
};
constexpr auto health = [](std::string_view name, Kind kind, Unit unit, std::string_view help) {
  return Metric{Line::vm_health, name, kind, Type::integer, unit, from(How::timed, ""), help, ""};
};
constexpr auto health_label = [](std::string_view name, std::string_view of, std::string_view help) {
  return Metric{Line::vm_health, name, Kind::state, Type::text, Unit::none, from(How::label, of), help, ""};
};
constexpr auto latency = [](std::string_view name, std::string_view help) {
  return Metric{Line::collector_latency, name, Kind::gauge, Type::real, Unit::milliseconds,
                from(How::timed, ""),    help, ""};
};
constexpr auto stat = [](std::string_view name, Kind kind, Unit unit, std::string_view help) {
  return Metric{Line::collector_stats, name, kind, Type::integer, unit, from(How::timed, ""), help, ""};
};
constexpr auto dropped = [](std::string_view name, std::string_view help) {
  return stat(name, Kind::counter, Unit::lines, help);
};

}  // namespace catalog_rows

// clang-format off
inline constexpr auto kCatalog = [] {
  using namespace catalog_rows;
  using enum Unit;
  return std::to_array<Metric>({
  // ---- vm_metrics: basic state -------------------------------------------------------------------------------
  {Line::vm_metrics, "state", Kind::state, Type::text, none, from(How::label, "vm_totals.state"),
   "State of the VM: no state, running, blocked, paused, shutdown, shutoff, crashed, suspended, else unknown.", ""},
  metrics_row("cpu_count",      Kind::gauge,   vcpus,       read("vcpu.current", "info.nrVirtCpu", "/proc/<pid>/task/*/comm"),          "Current number of vCPUs."),
  metrics_row("memory_max_kb",  Kind::gauge,   kib,         read("balloon.maximum", "info.maxMem"),                                     "Maximum memory of the VM."),
  metrics_row("memory_used_kb", Kind::gauge,   kib,         read("balloon.current", "info.memory"),                                     "Current memory of the VM: what the balloon leaves it."),
  metrics_row("cputime_ns",     Kind::counter, nanoseconds, read("cpu.time", "info.cpuTime", "cgroup or /proc/<pid>/stat utime+stime"), "CPU time used by the VM since it was started."),

  // ---- vm_features: trends derived from two cycles of one VM --------------------------------------------------
  rate ("memory_rate_kb_per_sec",    kib_per_second,      "vm_metrics.memory_used_kb",       "Change of memory_used_kb per second since the VM's previous cycle."),
  angle("memory_angle_deg",                               "vm_features.memory_rate_kb_per_sec", "Steepness of memory_rate_kb_per_sec: degrees(atan(rate + 1e-12))."),
  rate ("net_rxbytes_rate",          bytes_per_second,    "vm_totals.net_rxbytes",           "Bytes received per second over all NICs."),
  angle("net_rxbytes_angle_deg",                          "vm_features.net_rxbytes_rate",    "Steepness of net_rxbytes_rate: degrees(atan(rate))."),
  rate ("net_txbytes_rate",          bytes_per_second,    "vm_totals.net_txbytes",           "Bytes sent per second over all NICs."),
  angle("net_txbytes_angle_deg",                          "vm_features.net_txbytes_rate",    "Steepness of net_txbytes_rate: degrees(atan(rate))."),
  rate ("net_rxpackets_rate",        packets_per_second,  "vm_totals.net_rxpackets",         "Packets received per second over all NICs."),
  angle("net_rxpackets_angle_deg",                        "vm_features.net_rxpackets_rate",  "Steepness of net_rxpackets_rate: degrees(atan(rate))."),
  rate ("net_txpackets_rate",        packets_per_second,  "vm_totals.net_txpackets",         "Packets sent per second over all NICs."),
  angle("net_txpackets_angle_deg",                        "vm_features.net_txpackets_rate",  "Steepness of net_txpackets_rate: degrees(atan(rate))."),
  rate ("disk_rd_req_rate",          requests_per_second, "vm_totals.disk_rd_req",           "Read requests completed per second over all disks."),
  angle("disk_rd_req_angle_deg",                          "vm_features.disk_rd_req_rate",    "Steepness of disk_rd_req_rate: degrees(atan(rate))."),
  rate ("disk_rd_bytes_rate",        bytes_per_second,    "vm_totals.disk_rd_bytes",         "Bytes read per second over all disks."),
  angle("disk_rd_bytes_angle_deg",                        "vm_features.disk_rd_bytes_rate",  "Steepness of disk_rd_bytes_rate: degrees(atan(rate))."),
  rate ("disk_wr_reqs_rate",         requests_per_second, "vm_totals.disk_wr_reqs",          "Write requests completed per second over all disks."),
  angle("disk_wr_reqs_angle_deg",                         "vm_features.disk_wr_reqs_rate",   "Steepness of disk_wr_reqs_rate: degrees(atan(rate))."),
  rate ("disk_wr_bytes_rate",        bytes_per_second,    "vm_totals.disk_wr_bytes",         "Bytes written per second over all disks."),
  angle("disk_wr_bytes_angle_deg",                        "vm_features.disk_wr_bytes_rate",  "Steepness of disk_wr_bytes_rate: degrees(atan(rate))."),

  // ---- vm_totals: sums over the devices, memory, CPU, state ---------------------------------------------------
  total("net_rxbytes",    bytes,    "nic.rxbytes",   "Bytes received, over all NICs."),
  total("net_rxpackets",  packets,  "nic.rxpackets", "Packets received, over all NICs."),
  total("net_rxerrors",   errors,   "nic.rxerrors",  "Receive errors, over all NICs."),
  total("net_rxdrops",    packets,  "nic.rxdrops",   "Packets dropped on receive, over all NICs."),
  total("net_txbytes",    bytes,    "nic.txbytes",   "Bytes sent, over all NICs."),
  total("net_txpackets",  packets,  "nic.txpackets", "Packets sent, over all NICs."),
  total("net_txerrors",   errors,   "nic.txerrors",  "Send errors, over all NICs."),
  total("net_txdrops",    packets,  "nic.txdrops",   "Packets dropped on send, over all NICs."),
  total("disk_rd_req",    requests, "disk.rd_req",   "Read requests completed, over all disks."),
  total("disk_rd_bytes",  bytes,    "disk.rd_bytes", "Bytes read, over all disks."),
  total("disk_wr_reqs",   requests, "disk.wr_reqs",  "Write requests completed, over all disks."),
  total("disk_wr_bytes",  bytes,    "disk.wr_bytes", "Bytes written, over all disks."),
  total("disk_errors",    errors,   "disk.errors",   "Disk errors, over all disks."),
  totals_row("memactual",      Kind::gauge,   kib,         read("balloon.current", "memory.actual_balloon"),                          "Size of the balloon's memory: what the guest has now."),
  totals_row("memrss",         Kind::gauge,   kib,         read("balloon.rss", "memory.rss", "/proc/<pid>/stat rss"),                 "Memory of the VM's process resident on the host; without hugetlbfs."),
  totals_row("memavailable",   Kind::gauge,   kib,         read("balloon.available", "memory.available"),                             "Total memory as the guest sees it (the guest's MemTotal)."),
  totals_row("memusable",      Kind::gauge,   kib,         read("balloon.usable", "memory.usable"),                                   "Memory the guest can use without swapping (the guest's MemAvailable)."),
  totals_row("memdisk_cache",  Kind::gauge,   kib,         read("balloon.disk_caches", "memory.disk_caches"),                         "Memory the guest holds as disk cache."),
  totals_row("memswap_in",     Kind::counter, kib,         read("balloon.swap_in", "memory.swap_in"),                                 "Memory the guest read back from its swap."),
  totals_row("memswap_out",    Kind::counter, kib,         read("balloon.swap_out", "memory.swap_out"),                               "Memory the guest wrote to its swap."),
  totals_row("memmajor_fault", Kind::counter, faults,      read("balloon.major_fault", "memory.major_fault"),                         "Page faults of the guest that needed I/O."),
  totals_row("memminor_fault", Kind::counter, faults,      read("balloon.minor_fault", "memory.minor_fault"),                         "Page faults of the guest that needed no I/O."),
  totals_row("timeusr",        Kind::counter, nanoseconds, read("cpu.user", "cpu.user_time", "cgroup or /proc/<pid>/stat utime"),     "CPU time the VM's process spent in user mode."),
  totals_row("timesys",        Kind::counter, nanoseconds, read("cpu.system", "cpu.system_time", "cgroup or /proc/<pid>/stat stime"), "CPU time the VM's process spent in the host's kernel."),
  totals_row("cpus",           Kind::gauge,   vcpus,       from(How::copy, "vm_metrics.cpu_count"),                                   "Current number of vCPUs."),
  totals_row("cputime",        Kind::counter, nanoseconds, from(How::copy, "vm_metrics.cputime_ns"),                                  "CPU time used by the VM since it was started."),
  totals_row("state",          Kind::state,   none,        read("state.state", "info.state"),                                         "State of the VM as libvirt's code: 0 no state, 1 running, 2 blocked, 3 paused, 4 shutdown, 5 shutoff, 6 crashed, 7 suspended."),

  // ---- vm_devices, devtype=nic: the guest's view --------------------------------------------------------------
  nic_row("rxbytes",   bytes,   read("rx.bytes", "interface.rx_bytes", "RTM_GETSTATS tx_bytes"),                   "Bytes the guest received."),
  nic_row("rxpackets", packets, read("rx.pkts",  "interface.rx_packets", "RTM_GETSTATS tx_packets"),               "Packets the guest received."),
  nic_row("rxerrors",  errors,  read("rx.errs",  "interface.rx_errs", "RTM_GETSTATS tx_errors"),                   "Receive errors."),
  nic_row("rxdrops",   packets, read("rx.drop",  "interface.rx_drop", "RTM_GETSTATS tx_dropped"),                  "Packets dropped on the way to the guest."),
  nic_row("txbytes",   bytes,   read("tx.bytes", "interface.tx_bytes", "RTM_GETSTATS rx_bytes"),                   "Bytes the guest sent."),
  nic_row("txpackets", packets, read("tx.pkts",  "interface.tx_packets", "RTM_GETSTATS rx_packets"),               "Packets the guest sent."),
  nic_row("txerrors",  errors,  read("tx.errs",  "interface.tx_errs", "RTM_GETSTATS rx_errors"),                   "Send errors."),
  nic_row("txdrops",   packets, read("tx.drop",  "interface.tx_drop", "RTM_GETSTATS rx_dropped+rx_missed_errors"), "Packets of the guest that were dropped."),

  // ---- vm_devices, devtype=disk -------------------------------------------------------------------------------
  disk_row("rd_req",   requests, read("rd.reqs",  "block.rd_req"),   "Read requests completed."),
  disk_row("rd_bytes", bytes,    read("rd.bytes", "block.rd_bytes"), "Bytes read."),
  disk_row("wr_reqs",  requests, read("wr.reqs",  "block.wr_req"),   "Write requests completed."),
  disk_row("wr_bytes", bytes,    read("wr.bytes", "block.wr_bytes"), "Bytes written."),
  disk_row("errors",   errors,   read("errors",   "block.errs"),     "Disk errors; QEMU does not count them."),

  // ---- vm_health: only for a VM that is not ok, and once when it is again ---------------------------------------
  health_label("health",       "vm_health.health_code", "How the VM could be read: ok, partial (values it gave before are missing), busy (another job holds it), hung (its QEMU does not answer), stale (its turn did not come)."),
  health("health_code",   Kind::state, none,         "The same as a code: 0 ok, 1 partial, 2 busy, 3 hung, 4 stale."),
  health_label("reason",       "vm_health.reason_code", "Why it is not ok: none, no_answer, other_job, call_failed, no_statistics, out_of_range, no_device_list, out_of_time, too_many_calls."),
  health("reason_code",   Kind::state, none,         "The same as a code, 0 to 8 in this order."),
  health("hung_ms",       Kind::gauge, milliseconds, "Time since the VM's QEMU was asked and did not answer; only while it hangs."),
  health("cpu_age_ms",    Kind::gauge, milliseconds, "Time since the VM's CPU time was last read; absent when it never was, as in the next three."),
  health("memory_age_ms", Kind::gauge, milliseconds, "Time since the VM's memory statistics were last read."),
  health("nic_age_ms",    Kind::gauge, milliseconds, "Time since statistics of one of its NICs were last read."),
  health("disk_age_ms",   Kind::gauge, milliseconds, "Time since statistics of one of its disks were last read."),

  // ---- collector_latency --------------------------------------------------------------------------------------
  latency("loop_latency_ms",    "Time the collection cycle took, from the first question to the last answer."),
  latency("feature_latency_ms", "Time the derivation of vm_features took in this cycle."),

  // ---- collector_stats: one line a cycle and sink, the collector's own part repeated in each -------------------
  stat("collected", Kind::counter, lines, "Lines given to this sink's queue: delivered + waiting + in_flight + dropped, always."),
  stat("delivered", Kind::counter, lines, "Lines that the sink has stored."),
  stat("waiting",   Kind::gauge,   lines, "Lines that wait for the sink."),
  stat("in_flight", Kind::gauge,   lines, "Lines that are being sent."),
  stat("dropped",   Kind::counter, lines, "Lines that will never be delivered, for whatever reason."),
  dropped("dropped_evicted",    "Lines dropped because the spool on disk was over its limit."),
  dropped("dropped_expired",    "Lines dropped because they were older than is kept."),
  dropped("dropped_disk_space", "Lines dropped because the file system was full."),
  dropped("dropped_memory",     "Lines dropped because the memory for waiting lines was full."),
  dropped("dropped_corrupt",    "Lines dropped because they were damaged on disk."),
  dropped("dropped_missing",    "Lines dropped because they were gone from the disk."),
  dropped("dropped_rejected",   "Lines dropped because the server can never store them."),
  dropped("dropped_refused",    "Lines dropped because the server was at a limit of its own."),
  dropped("dropped_oversize",   "Lines dropped because they were too long."),
  dropped("dropped_shutdown",   "Lines dropped because they were in memory only when virtmeter had to end."),
  stat("retries",       Kind::counter, requests, "Sends that failed and were tried again."),
  stat("cycles",        Kind::counter, cycles,   "Collection cycles since virtmeter was started, failed ones included."),
  stat("failed_cycles", Kind::counter, cycles,   "Cycles in which no VM could be read at all."),
  stat("missed_beats",  Kind::counter, cycles,   "Cycles left out because the one before took too long."),
  stat("vms",           Kind::gauge,   vms,      "Active VMs read in this cycle."),
  stat("absent_values", Kind::counter, values,   "Values of the core measurements that could not be read, over all reasons."),
  });
}();
// clang-format on

// A row's place in kCatalog. Made only by metric_id() and by loops over the catalog.
using MetricId = std::uint16_t;

inline constexpr std::size_t kMetricCount = kCatalog.size();

constexpr const Metric& metric(MetricId id) { return kCatalog[id]; }
constexpr Scope scope_of(MetricId id) { return info(kCatalog[id].line).scope; }

// [first, end) of the rows of a line kind or of a scope.
struct RowRange {
  MetricId first = 0;
  MetricId end = 0;
  constexpr std::size_t size() const { return static_cast<std::size_t>(end - first); }
};

template <typename Predicate>
constexpr RowRange rows_where(Predicate predicate) {
  const auto first = std::find_if(kCatalog.begin(), kCatalog.end(), predicate);
  const auto end = std::find_if_not(first, kCatalog.end(), predicate);
  return {static_cast<MetricId>(first - kCatalog.begin()), static_cast<MetricId>(end - kCatalog.begin())};
}
constexpr RowRange rows_of(Line line) {
  return rows_where([line](const Metric& row) { return row.line == line; });
}
constexpr RowRange rows_of(Scope scope) {
  return rows_where([scope](const Metric& row) { return info(row.line).scope == scope; });
}

inline constexpr std::array<RowRange, kLineCount> kLineRows = [] {
  std::array<RowRange, kLineCount> ranges{};
  for (std::size_t i = 0; i < kLineCount; ++i) ranges[i] = rows_of(static_cast<Line>(i));
  return ranges;
}();
constexpr RowRange line_rows(Line line) { return kLineRows[static_cast<std::size_t>(line)]; }

// The row named "<line>.<name>", or kMetricCount.
constexpr std::size_t find_metric(std::string_view key) {
  const std::size_t dot = key.find('.');
  for (std::size_t i = 0; i < kCatalog.size(); ++i) {
    if (info(kCatalog[i].line).key == key.substr(0, dot) && kCatalog[i].name == key.substr(dot + 1)) return i;
  }
  return kMetricCount;
}

// The same, at compile time: a typing error does not compile.
consteval MetricId metric_id(std::string_view key) {
  const std::size_t found = find_metric(key);
  if (found == kMetricCount) throw "no such metric in the catalog";
  return static_cast<MetricId>(found);
}

// kMetricOf[id] is the row that row `id` is computed from, kMetricCount where it is read.
inline constexpr std::array<MetricId, kMetricCount> kMetricOf = [] {
  std::array<MetricId, kMetricCount> of{};
  for (std::size_t i = 0; i < kMetricCount; ++i)
    of[i] = static_cast<MetricId>(find_metric(kCatalog[i].origin.of));
  return of;
}();

namespace catalog_checks {

constexpr bool lines_and_scopes_stand_together() {
  for (const Metric& row : kCatalog) {
    const RowRange line = rows_of(row.line);
    const RowRange scope = rows_of(info(row.line).scope);
    std::size_t line_count = 0;
    std::size_t scope_count = 0;
    for (const Metric& other : kCatalog) {
      line_count += other.line == row.line ? 1 : 0;
      scope_count += info(other.line).scope == info(row.line).scope ? 1 : 0;
    }
    if (line.size() != line_count || scope.size() != scope_count) return false;
  }
  return true;
}

constexpr bool names_are_unique_and_snake_case() {
  for (std::size_t i = 0; i < kCatalog.size(); ++i) {
    for (const char c : kCatalog[i].name) {
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (kCatalog[j].line == kCatalog[i].line && kCatalog[j].name == kCatalog[i].name) return false;
    }
  }
  return true;
}

constexpr bool helps_are_sentences() {
  return std::all_of(kCatalog.begin(), kCatalog.end(), [](const Metric& row) {
    return row.help.size() > 10 && row.help.back() == '.' && row.help.front() >= 'A' &&
           row.help.front() <= 'Z';
  });
}

// A read row names both its ways; any other names an existing row of the right scope and type.
constexpr bool origins_resolve() {
  for (std::size_t i = 0; i < kCatalog.size(); ++i) {
    const Metric& row = kCatalog[i];
    const How how = row.origin.how;
    if (how == How::timed) continue;
    if (how == How::read) {
      if (row.origin.bulk.empty() || row.origin.call.empty()) return false;
      continue;
    }
    if (kMetricOf[i] == kMetricCount) return false;
    const Metric& of = kCatalog[kMetricOf[i]];
    const bool devices = scope_of(kMetricOf[i]) == Scope::nic || scope_of(kMetricOf[i]) == Scope::disk;
    if ((how == How::sum) != devices) return false;
    if (how == How::angle && of.origin.how != How::rate) return false;
    if ((how == How::rate || how == How::angle) && row.type != Type::real) return false;
  }
  return true;
}

static_assert(lines_and_scopes_stand_together(), "rows of one line, and lines of one scope, stand together");
static_assert(names_are_unique_and_snake_case(), "a name is snake_case and once in its line");
static_assert(helps_are_sentences(), "a help text is one sentence with a full stop");
static_assert(origins_resolve(), "an origin names an existing row of the right kind");

}  // namespace catalog_checks

// The origin in words, for schema and docs: "cpu.time, else info.cpuTime", "sum of nic.rxbytes".
std::string describe_origin(const Metric& row);

}  // namespace virtmeter
