#include "codec/prometheus_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "base/text.h"

namespace virtmeter {
namespace {

constexpr std::size_t kLabelBytesMax = 256;

// What stands between the prefix and the unit, for rows whose frozen names Prometheus's users would not look
// for. Any other row's stem is its name without the unit.
struct Stem {
  std::string_view key;
  std::string_view stem;
};
constexpr auto kStems = std::to_array<Stem>({
    {"vm_metrics.cputime_ns", "cpu"},
    {"vm_metrics.cpu_count", ""},
    {"vm_totals.timeusr", "cpu_user"},
    {"vm_totals.timesys", "cpu_system"},
    {"vm_totals.memrss", "memory_rss"},
    {"vm_totals.memavailable", "memory_available"},
    {"vm_totals.memusable", "memory_usable"},
    {"vm_totals.memdisk_cache", "memory_disk_cache"},
    {"vm_totals.memswap_in", "memory_swap_in"},
    {"vm_totals.memswap_out", "memory_swap_out"},
    {"vm_totals.memmajor_fault", "memory_major"},
    {"vm_totals.memminor_fault", "memory_minor"},
    {"nic.rxbytes", "receive"},
    {"nic.rxpackets", "receive"},
    {"nic.rxerrors", "receive"},
    {"nic.rxdrops", "receive_dropped"},
    {"nic.txbytes", "transmit"},
    {"nic.txpackets", "transmit"},
    {"nic.txerrors", "transmit"},
    {"nic.txdrops", "transmit_dropped"},
    {"disk.rd_req", "read"},
    {"disk.rd_bytes", "read"},
    {"disk.wr_reqs", "write"},
    {"disk.wr_bytes", "write"},
    {"vm_health.health_code", ""},
    {"vm_health.reason_code", "reason"},
});
static_assert(std::all_of(kStems.begin(), kStems.end(),
                          [](const Stem& stem) { return find_metric(stem.key) != kMetricCount; }),
              "a stem is given to a row of the catalog");

std::string_view prefix_of(Scope scope) {
  switch (scope) {
    case Scope::vm:
      return "virtmeter_vm";
    case Scope::nic:
      return "virtmeter_vm_nic";
    case Scope::disk:
      return "virtmeter_vm_disk";
    case Scope::health:
      return "virtmeter_vm_health";
    case Scope::collector:
      return "virtmeter_collector";
    case Scope::sink:
      break;
  }
  return "";
}

// The base unit in the plural, as the naming rules of Prometheus ask for.
std::string_view unit_word(Unit unit) {
  switch (unit) {
    case Unit::none:
      return "";
    case Unit::bytes:
    case Unit::kib:
      return "bytes";
    case Unit::packets:
      return "packets";
    case Unit::requests:
      return "requests";
    case Unit::errors:
      return "errors";
    case Unit::faults:
      return "faults";
    case Unit::vcpus:
      return "vcpus";
    case Unit::vms:
      return "vms";
    case Unit::lines:
      return "lines";
    case Unit::cycles:
      return "cycles";
    case Unit::values:
      return "values";
    case Unit::nanoseconds:
    case Unit::milliseconds:
      return "seconds";
    case Unit::degrees:
      return "degrees";
    case Unit::kib_per_second:
    case Unit::bytes_per_second:
      return "bytes_per_second";
    case Unit::packets_per_second:
      return "packets_per_second";
    case Unit::requests_per_second:
      return "requests_per_second";
  }
  return "";
}

std::string_view stem_of(MetricId id) {
  const Metric& row = metric(id);
  for (const Stem& stem : kStems) {
    if (find_metric(stem.key) == id) return stem.stem;
  }
  for (const std::string_view suffix :
       {std::string_view("_kb"), std::string_view("_ns"), std::string_view("_ms"), unit_word(row.unit)}) {
    if (suffix.empty() || !row.name.ends_with(suffix)) continue;
    std::string_view stem = row.name.substr(0, row.name.size() - suffix.size());
    while (stem.ends_with('_')) stem.remove_suffix(1);
    return stem;
  }
  return row.name;
}

// A cycle holds nothing of a sink. Two rows that read the same key are one quantity under two frozen names:
// the first is exported.
bool exported(MetricId id) {
  if (scope_of(id) == Scope::sink) return false;
  const Origin& origin = metric(id).origin;
  if (origin.how != How::read) return origin.how == How::timed;
  for (MetricId earlier = 0; earlier < id; ++earlier) {
    const Origin& other = metric(earlier).origin;
    if (scope_of(earlier) == scope_of(id) && other.how == How::read && other.bulk == origin.bulk)
      return false;
  }
  return true;
}

void append_escaped_help(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') out += '\\';
    out += c;
  }
}

// Prometheus refuses the whole scrape for one label value that is not UTF-8.
void append_label(std::string& out, std::string_view key, std::string_view value) {
  out.append(key).append("=\"");
  std::size_t bytes = 0;
  while (!value.empty()) {
    const std::size_t length = utf8_sequence_length(value);
    const std::string_view character = length == 0 ? "\xEF\xBF\xBD" : value.substr(0, length);
    bytes += character.size();
    if (bytes > kLabelBytesMax) break;
    if (character == "\n") {
      out += "\\n";
    } else {
      if (character == "\\" || character == "\"") out += '\\';
      out += character;
    }
    value.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

void append_real(std::string& out, double value) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// Exact, without a detour over a double: 1500000000 ns is 1.5.
void append_seconds(std::string& out, std::int64_t value_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (value_ns < 0) return append_real(out, static_cast<double>(value_ns) / static_cast<double>(kSecond));
  out += std::to_string(value_ns / kSecond);
  std::string fraction = std::to_string(value_ns % kSecond);
  fraction.insert(0, 9 - fraction.size(), '0');
  while (fraction.ends_with('0')) fraction.pop_back();
  if (!fraction.empty()) out.append(".").append(fraction);
}

void append_integer(std::string& out, std::int64_t value, Unit unit) {
  constexpr std::int64_t kMillisecondNs = 1'000'000;
  if (unit == Unit::nanoseconds) return append_seconds(out, value);
  if (unit == Unit::milliseconds && value <= INT64_MAX / kMillisecondNs) {
    return append_seconds(out, value * kMillisecondNs);
  }
  std::int64_t scaled = value;
  if (unit == Unit::kib && __builtin_mul_overflow(value, 1024, &scaled)) {
    return append_real(out, static_cast<double>(value) * 1024.0);
  }
  out += std::to_string(scaled);
}

// The row's value in its base unit; empty where there is none.
template <Scope S>
std::string value_text(const Values<S>& values, MetricId id) {
  std::string text;
  const Unit unit = metric(id).unit;
  if (metric(id).type == Type::integer) {
    const auto value = values.integer(id);
    if (value) append_integer(text, *value, unit);
    return text;
  }
  const auto value = values.real(id);
  if (value && std::isfinite(*value)) append_real(text, unit == Unit::milliseconds ? *value / 1000 : *value);
  return text;
}

// One family: its HELP and TYPE stand before the first sample, and not at all without one.
class Family {
 public:
  Family(std::string& out, std::string name, std::string_view help, std::string_view type)
      : out_(out), name_(std::move(name)), help_(help), type_(type) {}

  void add(std::string_view labels, std::string_view value) {
    if (value.empty()) return;
    if (!begun_) begin();
    out_.append(name_);
    if (!labels.empty()) out_.append("{").append(labels).append("}");
    out_.append(" ").append(value).append("\n");
  }

 private:
  void begin() {
    begun_ = true;
    out_.append("# HELP ").append(name_).append(" ");
    append_escaped_help(out_, help_);
    out_.append("\n# TYPE ").append(name_).append(" ").append(type_).append("\n");
  }

  std::string& out_;
  const std::string name_;
  const std::string_view help_;
  const std::string_view type_;
  bool begun_ = false;
};

// The labels of a VM's and of its devices' series, built once per VM.
struct VmLabels {
  std::string vm;
  std::vector<std::string> nics;
  std::vector<std::string> disks;
};

VmLabels labels_of(const VmSample& vm, std::string_view host) {
  const VmLayout& layout = *vm.layout;
  CHECK(vm.nics.size() == layout.nics.size() && vm.disks.size() == layout.disks.size());
  VmLabels labels;
  append_label(labels.vm, "uuid", layout.uuid_text);
  append_label(labels.vm += ',', "name", layout.name);
  if (!host.empty()) append_label(labels.vm += ',', "host", host);
  const auto of_device = [&](const std::string& device) {
    std::string text = labels.vm + ",";
    append_label(text, "device", device);
    return text;
  };
  for (const std::string& nic : layout.nics) labels.nics.push_back(of_device(nic));
  for (const std::string& disk : layout.disks) labels.disks.push_back(of_device(disk));
  return labels;
}

void add_samples(Family& family, MetricId id, const VmSample& vm, const VmLabels& labels) {
  switch (scope_of(id)) {
    case Scope::vm:
      family.add(labels.vm, value_text(vm.values, id));
      break;
    case Scope::nic:
      for (std::size_t i = 0; i < vm.nics.size(); ++i) family.add(labels.nics[i], value_text(vm.nics[i], id));
      break;
    case Scope::disk:
      for (std::size_t i = 0; i < vm.disks.size(); ++i)
        family.add(labels.disks[i], value_text(vm.disks[i], id));
      break;
    case Scope::health:
      family.add(labels.vm, value_text(vm.health, id));
      break;
    case Scope::collector:
    case Scope::sink:
      break;
  }
}

void append_info(std::string& out, const Cycle& cycle, const std::vector<VmLabels>& labels) {
  Family family(out, "virtmeter_vm_info", "Identity of an active VM; always 1.", "gauge");
  for (std::size_t i = 0; i < cycle.vms.size(); ++i) {
    family.add(labels[i].vm + ",id=\"" + std::to_string(cycle.vms[i].layout->domain_id) + "\"", "1");
  }
}

}  // namespace

std::string prometheus_name(MetricId id) {
  if (!exported(id)) return "";
  std::string name(prefix_of(scope_of(id)));
  for (const std::string_view part : {stem_of(id), unit_word(metric(id).unit)}) {
    if (!part.empty()) name.append("_").append(part);
  }
  if (metric(id).kind == Kind::counter) name += "_total";
  return name;
}

void encode_prometheus(const Cycle& cycle, std::string& out) {
  std::vector<VmLabels> labels;
  labels.reserve(cycle.vms.size());
  for (const VmSample& vm : cycle.vms) labels.push_back(labels_of(vm, cycle.host));
  std::string collector_labels;
  if (!cycle.host.empty()) append_label(collector_labels, "host", cycle.host);

  append_info(out, cycle, labels);
  for (MetricId id = 0; id < kMetricCount; ++id) {
    std::string name = prometheus_name(id);
    if (name.empty()) continue;
    Family family(out, std::move(name), metric(id).help,
                  metric(id).kind == Kind::counter ? "counter" : "gauge");
    if (scope_of(id) == Scope::collector) family.add(collector_labels, value_text(cycle.collector, id));
    for (std::size_t i = 0; i < cycle.vms.size(); ++i) add_samples(family, id, cycle.vms[i], labels[i]);
  }
  std::string time;
  append_seconds(time, cycle.time.unix_ns);
  Family(out, "virtmeter_collector_last_cycle_timestamp_seconds", "When the samples of this page were read.",
         "gauge")
      .add(collector_labels, time);
}

}  // namespace virtmeter
