#include "source/libvirt/stat_key.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace virtmeter {
namespace {

template <Scope S>
constexpr std::size_t kReadCount =
    static_cast<std::size_t>(std::count_if(kCatalog.begin(), kCatalog.end(), [](const Metric& row) {
      return info(row.line).scope == S && row.origin.how == How::read;
    }));

// The rows of one scope that are read, sorted by bulk key, so that the rows of one key lie side by side.
template <Scope S>
constexpr std::array<MetricId, kReadCount<S>> kByKey = [] {
  std::array<MetricId, kReadCount<S>> ids{};
  std::size_t count = 0;
  for (MetricId id = 0; id < kMetricCount; ++id) {
    if (scope_of(id) == S && metric(id).origin.how == How::read) ids[count++] = id;
  }
  std::sort(ids.begin(), ids.end(),
            [](MetricId a, MetricId b) { return metric(a).origin.bulk < metric(b).origin.bulk; });
  return ids;
}();

struct KeyOrder {
  bool operator()(MetricId id, std::string_view key) const { return metric(id).origin.bulk < key; }
  bool operator()(std::string_view key, MetricId id) const { return key < metric(id).origin.bulk; }
};

template <Scope S>
std::span<const MetricId> rows_of_key(std::string_view key) {
  const auto [first, end] = std::equal_range(kByKey<S>.begin(), kByKey<S>.end(), key, KeyOrder{});
  return {first, end};
}

struct Ignored {
  std::string_view pattern;  // '*' stands for any run of characters.
  std::string_view reason;
};

constexpr std::string_view kLater = "not part of the core measurements";
constexpr std::string_view kCarrier = "names or counts the records; read for its meaning, not as a value";

constexpr auto kIgnored = std::to_array<Ignored>({
    {"state.reason", kLater},
    {"cpu.haltpoll.*", kLater},
    {"cpu.cache.monitor.*", kLater},
    {"cpu.energy.monitor.*", kLater},
    {"balloon.unused", "the guest's MemFree; memusable is the honest one"},
    {"balloon.last-update", kLater},
    {"balloon.hugetlb_*", kLater},
    {"vcpu.maximum", kLater},
    {"vcpu.*.state", kLater},
    {"vcpu.*.time", kLater},
    {"vcpu.*.wait", kLater},
    {"vcpu.*.delay", kLater},
    {"vcpu.*.halted", kLater},
    {"vcpu.*.sum", "KVM's own statistics: they come and go with the kernel"},
    {"vcpu.*.cur", "KVM's own statistics: they come and go with the kernel"},
    {"vcpu.*.max", "KVM's own statistics: they come and go with the kernel"},
    {"net.count", kCarrier},
    {"net.*.name", kCarrier},
    {"block.count", kCarrier},
    {"block.*.name", kCarrier},
    {"block.*.backingIndex", "virtmeter asks for the top layer only"},
    {"block.*.path", "a path of the host is no statistic"},
    {"block.*.times", kLater},
    {"block.*.fl.reqs", kLater},
    {"block.*.allocation", kLater},
    {"block.*.capacity", kLater},
    {"block.*.physical", kLater},
    {"block.*.threshold", kLater},
    {"block.*.limits.*", kLater},
    {"block.*.timed_group.*", kLater},
    {"block.*.latency_histogram.*", kLater},
    {"perf.*", "group not asked for"},
    {"iothread.*", "group not asked for"},
    {"memory.bandwidth.*", "group not asked for"},
    {"dirtyrate.*", "group not asked for"},
    {"vm.*", "group not asked for"},
});

constexpr bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (text.substr(0, star) != pattern.substr(0, star)) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t from = star; from <= text.size(); ++from) {
    if (matches(rest, text.substr(from))) return true;
  }
  return false;
}

}  // namespace

std::span<const MetricId> rows_of_vm_key(std::string_view key) { return rows_of_key<Scope::vm>(key); }
std::span<const MetricId> rows_of_nic_key(std::string_view key) { return rows_of_key<Scope::nic>(key); }
std::span<const MetricId> rows_of_disk_key(std::string_view key) { return rows_of_key<Scope::disk>(key); }

std::optional<DeviceKey> split_device_key(std::string_view key, std::string_view prefix) {
  if (key.substr(0, prefix.size()) != prefix) return std::nullopt;
  key.remove_prefix(prefix.size());
  DeviceKey device;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), device.index);
  const auto digits = static_cast<std::size_t>(end - key.data());
  if (error != std::errc{} || digits >= key.size() || key[digits] != '.') return std::nullopt;
  device.rest = key.substr(digits + 1);
  return device;
}

std::string_view reason_to_ignore(std::string_view key) {
  for (const Ignored& ignored : kIgnored) {
    if (matches(ignored.pattern, key)) return ignored.reason;
  }
  return "";
}

}  // namespace virtmeter
