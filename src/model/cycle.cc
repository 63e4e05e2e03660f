#include "model/cycle.h"

#include <cstring>

namespace virtmeter {
namespace {

constexpr std::array<std::string_view, 8> kStateNames = {"no state", "running", "blocked", "paused",
                                                         "shutdown", "shutoff", "crashed", "suspended"};

template <Scope S>
void sum_over(const std::vector<Values<S>>& devices, MetricId of, VmValues& values, MetricId total) {
  std::int64_t sum = 0;
  std::size_t read_count = 0;
  Absence why = Absence::partial_sum;
  for (const Values<S>& device : devices) {
    const auto part = device.integer(of);
    if (!part) {
      why = device.absence(of);
      continue;
    }
    ++read_count;
    // Two counters near the limit: the sum stays at the limit instead of turning negative.
    if (__builtin_add_overflow(sum, *part, &sum)) sum = INT64_MAX;
  }
  if (read_count == devices.size()) return values.set_integer(total, sum);
  values.set_remainder(total, sum, read_count == 0 ? why : Absence::partial_sum);
}

void copy_value(VmValues& values, MetricId from, MetricId to) {
  const auto value = values.integer(from);
  if (value) return values.set_integer(to, *value);
  values.set_absent(to, values.absence(from));
}

// What complete() does, as lists made from the catalog at compile time.
struct Derived {
  MetricId of = 0;
  MetricId to = 0;
};

template <Scope Of, How Way>
constexpr bool is_derived(MetricId id) {
  return metric(id).origin.how == Way && scope_of(kMetricOf[id]) == Of;
}

template <Scope Of, How Way>
constexpr std::size_t derived_count() {
  std::size_t count = 0;
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id)
    count += is_derived<Of, Way>(id) ? 1 : 0;
  return count;
}

template <Scope Of, How Way>
constexpr auto kDerived = [] {
  std::array<Derived, derived_count<Of, Way>()> rows{};
  std::size_t count = 0;
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) {
    if (is_derived<Of, Way>(id)) rows[count++] = {kMetricOf[id], id};
  }
  return rows;
}();

template <Scope S>
void sum_all(const std::vector<Values<S>>& devices, VmValues& values, bool devices_known) {
  for (const Derived& sum : kDerived<S, How::sum>) {
    if (devices_known) {
      sum_over(devices, sum.of, values, sum.to);
    } else {
      values.set_absent(sum.to, Absence::call_failed);
    }
  }
}

// The rows of a line that stand for themselves: a label is the name of a state that is counted already.
constexpr RowRange counted_rows(Line line) {
  RowRange rows = line_rows(line);
  while (metric(rows.first).origin.how == How::label) ++rows.first;
  return rows;
}

constexpr bool labels_stand_first(Line line) {
  for (MetricId id = counted_rows(line).first; id < line_rows(line).end; ++id) {
    if (metric(id).origin.how == How::label) return false;
  }
  return true;
}
static_assert(labels_stand_first(Line::vm_metrics) && labels_stand_first(Line::vm_totals));

template <Line L, Scope S>
void count_line(const Values<S>& values, AbsenceCounts& counts) {
  constexpr RowRange kRows = counted_rows(L);
  if (values.has_all(kRows)) return;
  for (MetricId id = kRows.first; id < kRows.end; ++id) {
    const Absence absence = values.absence(id);
    if (absence != Absence::none) ++counts[static_cast<std::size_t>(absence)];
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string Uuid::text() const {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kHex[bytes[i] >> 4];
    out += kHex[bytes[i] & 0x0F];
  }
  return out;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return std::nullopt;
    const int high = hex_digit(text[at++]);
    const int low = hex_digit(text[at++]);
    if (high < 0 || low < 0) return std::nullopt;
    uuid.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return uuid;
}

std::size_t UuidHash::operator()(const Uuid& uuid) const {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, uuid.bytes.data(), 8);
  std::memcpy(&low, uuid.bytes.data() + 8, 8);
  return static_cast<std::size_t>((high ^ (low * 0x9E3779B97F4A7C15u)) * 0xFF51AFD7ED558CCDu);
}

std::size_t VmLayout::bytes() const {
  const auto heap = [](const std::string& text) { return text.capacity() > 15 ? text.capacity() + 1 : 0; };
  std::size_t total = sizeof(VmLayout) + heap(name) + heap(uuid_text);
  for (const auto* list : {&nics, &disks}) {
    total += list->capacity() * sizeof(std::string);
    for (const std::string& device : *list) total += heap(device);
  }
  return total;
}

void begin_sample(VmSample& sample, std::shared_ptr<const VmLayout> layout) {
  sample.values = {};
  sample.health = {};
  sample.nics.assign(layout->nics.size(), {});
  sample.disks.assign(layout->disks.size(), {});
  sample.layout = std::move(layout);
  set_read_at(sample, {});
}

void set_read_at(VmSample& sample, BootTime moment) {
  sample.read_at = moment;
  sample.memory_read_at = moment;
  sample.disks_read_at = moment;
}

bool is_known_state(std::int64_t code) {
  return code >= 0 && code < static_cast<std::int64_t>(kStateNames.size());
}

std::string_view state_name(std::int64_t code) {
  return is_known_state(code) ? kStateNames[static_cast<std::size_t>(code)] : "unknown";
}

std::string_view label_text(MetricId label, std::int64_t code) {
  if (label == metric_id("vm_health.health")) return health_name(code);
  if (label == metric_id("vm_health.reason")) return health_reason_name(code);
  return state_name(code);
}

void complete(VmSample& vm) {
  for (const Derived& copy : kDerived<Scope::vm, How::copy>) copy_value(vm.values, copy.of, copy.to);
  sum_all(vm.nics, vm.values, vm.layout->devices_known);
  sum_all(vm.disks, vm.values, vm.layout->devices_known);
}

void count_absences(const VmSample& vm, AbsenceCounts& counts) {
  count_line<Line::vm_metrics>(vm.values, counts);
  count_line<Line::vm_totals>(vm.values, counts);
  for (const NicValues& nic : vm.nics) count_line<Line::nic>(nic, counts);
  for (const DiskValues& disk : vm.disks) count_line<Line::disk>(disk, counts);
}

}  // namespace virtmeter
