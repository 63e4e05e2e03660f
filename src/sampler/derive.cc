#include "sampler/derive.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace virtmeter {
namespace {

constexpr RowRange kFeatures = line_rows(Line::vm_features);

// What was read together, and so has one interval between two samples.
enum class Group : std::uint8_t { vm, memory, disks };
constexpr std::size_t kGroups = 3;

enum class Parts : std::uint8_t { none, nics, disks };

// A rate, the angle of that rate, and what they are made from.
struct Trend {
  MetricId rate = 0;
  MetricId angle = 0;
  MetricId of = 0;
  MetricId part = 0;  // The row of a device that `of` sums up.
  Parts parts = Parts::none;
  Group group = Group::vm;
  bool is_counter = false;
  double addend = 0;  // The contract keeps the small addend of its first angle.
};

constexpr std::size_t count_features(How how) {
  std::size_t count = 0;
  for (MetricId id = kFeatures.first; id < kFeatures.end; ++id) count += metric(id).origin.how == how ? 1 : 0;
  return count;
}

constexpr MetricId angle_of(MetricId rate) {
  for (MetricId id = kFeatures.first; id < kFeatures.end; ++id) {
    if (metric(id).origin.how == How::angle && kMetricOf[id] == rate) return id;
  }
  throw "each rate has its angle";
}

constexpr Trend trend_of(MetricId rate) {
  Trend trend;
  trend.rate = rate;
  trend.angle = angle_of(rate);
  trend.of = kMetricOf[rate];
  trend.is_counter = metric(trend.of).kind == Kind::counter;
  if (rate == metric_id("vm_features.memory_rate_kb_per_sec")) trend.addend = 1e-12;
  if (trend.of == metric_id("vm_metrics.memory_used_kb")) trend.group = Group::memory;
  if (metric(trend.of).origin.how != How::sum) return trend;
  trend.part = kMetricOf[trend.of];
  trend.parts = scope_of(trend.part) == Scope::nic ? Parts::nics : Parts::disks;
  if (trend.parts == Parts::disks) trend.group = Group::disks;
  return trend;
}

constexpr auto kTrends = [] {
  std::array<Trend, count_features(How::rate)> trends{};
  std::size_t count = 0;
  for (MetricId id = kFeatures.first; id < kFeatures.end; ++id) {
    if (metric(id).origin.how == How::rate) trends[count++] = trend_of(id);
  }
  return trends;
}();
static_assert(kTrends.size() == count_features(How::angle) && 2 * kTrends.size() == kFeatures.size());

// Two samples of one VM, and what holds for all their trends.
struct Pair {
  const VmSample& now;
  const VmSample& before;
  std::array<double, kGroups> seconds{};  // Zero or less where the values are still those of `before`.
  bool same_nics = true;
  bool same_disks = true;
};

Pair pair_of(const VmSample& now, const VmSample& before) {
  const auto seconds = [](BootTime from, BootTime to) {
    return std::chrono::duration<double>(to - from).count();
  };
  Pair pair{now, before, {}};
  pair.seconds[static_cast<std::size_t>(Group::vm)] = seconds(before.read_at, now.read_at);
  pair.seconds[static_cast<std::size_t>(Group::memory)] = seconds(before.memory_read_at, now.memory_read_at);
  pair.seconds[static_cast<std::size_t>(Group::disks)] = seconds(before.disks_read_at, now.disks_read_at);
  if (now.layout == before.layout) return pair;
  pair.same_nics = now.layout->nics == before.layout->nics;
  pair.same_disks = now.layout->disks == before.layout->disks;
  return pair;
}

// Whether one device has counted less than before: it was replaced, though its name is the same.
template <Scope S>
bool any_went_back(const std::vector<Values<S>>& now, const std::vector<Values<S>>& before, MetricId id) {
  for (std::size_t i = 0; i < now.size(); ++i) {
    const auto was = before[i].integer(id);
    const auto is = now[i].integer(id);
    if (was && is && *is < *was) return true;
  }
  return false;
}

// Whether the sum is over the same devices, each of which went on counting.
bool same_parts(const Trend& trend, const Pair& pair) {
  switch (trend.parts) {
    case Parts::none:
      return true;
    case Parts::nics:
      return pair.same_nics && !any_went_back(pair.now.nics, pair.before.nics, trend.part);
    case Parts::disks:
      return pair.same_disks && !any_went_back(pair.now.disks, pair.before.disks, trend.part);
  }
  return false;
}

std::optional<double> rate_of(const Trend& trend, const Pair& pair) {
  const auto was = pair.before.values.integer(trend.of);
  const auto is = pair.now.values.integer(trend.of);
  const double seconds = pair.seconds[static_cast<std::size_t>(trend.group)];
  if (!was || !is || seconds <= 0) return std::nullopt;
  if (trend.is_counter && *is < *was) return std::nullopt;
  if (!same_parts(trend, pair)) return std::nullopt;
  return static_cast<double>(*is - *was) / seconds;
}

}  // namespace

void derive_features(VmSample& now, const VmSample& before) {
  const Pair pair = pair_of(now, before);
  for (const Trend& trend : kTrends) {
    const auto rate = rate_of(trend, pair);
    if (!rate) continue;
    now.values.set_real(trend.rate, *rate);
    now.values.set_real(trend.angle, std::atan(*rate + trend.addend) * 180.0 / std::numbers::pi);
  }
}

void Deriver::derive(VmSample& vm) {
  vm.values.set_all_absent(kFeatures, Absence::no_rate);
  const VmSample* const before = find_before(vm.layout->uuid);
  if (before == nullptr || before->layout->domain_id != vm.layout->domain_id) return;
  if (vm.read_at - before->read_at <= gap_max_) derive_features(vm, *before);
}

bool Deriver::expect_at(std::size_t index, const Uuid& uuid) const {
  return index < last_->vms.size() && last_->vms[index].layout->uuid == uuid;
}

const VmSample* Deriver::find_before(const Uuid& uuid) {
  if (last_) {
    std::size_t index = expected_;
    // The VM in front of this one may have stopped.
    if (!expect_at(index, uuid)) ++index;
    if (!expect_at(index, uuid)) {
      if (!places_listed_) list_places(*last_, places_);
      places_listed_ = true;
      const Place* const place = find_place(places_, uuid);
      index = place == nullptr ? last_->vms.size() : place->index;
    }
    if (index < last_->vms.size()) {
      expected_ = index + 1;
      if (index + 2 < last_->vms.size()) prefetch(last_->vms[index + 2]);
      ++found_;
      return &last_->vms[index];
    }
  }
  const auto known = left_out_.find(uuid);
  return known == left_out_.end() ? nullptr : &known->second;
}

void Deriver::remember(std::shared_ptr<const Cycle> cycle, BootTime now) {
  const bool all_there = !last_ || found_ == last_->vms.size();
  if (!all_there || !left_out_.empty()) keep_left_out(*cycle, now);
  last_ = std::move(cycle);
  expected_ = 0;
  found_ = 0;
  places_listed_ = false;
}

void Deriver::keep_left_out(const Cycle& cycle, BootTime now) {
  list_places(cycle, places_now_);
  if (last_) {
    for (const VmSample& vm : last_->vms) {
      const bool is_recent = now - vm.read_at <= gap_max_;
      if (is_recent && find_place(places_now_, vm.layout->uuid) == nullptr)
        left_out_.insert_or_assign(vm.layout->uuid, vm);
    }
  }
  std::erase_if(left_out_, [&](const auto& known) {
    return now - known.second.read_at > gap_max_ || find_place(places_now_, known.first) != nullptr;
  });
}

void Deriver::list_places(const Cycle& cycle, Places& places) {
  places.clear();
  for (std::uint32_t i = 0; i < cycle.vms.size(); ++i) places.push_back({cycle.vms[i].layout->uuid, i});
  std::sort(places.begin(), places.end());
}

const Deriver::Place* Deriver::find_place(const Places& places, const Uuid& uuid) {
  const auto place = std::lower_bound(places.begin(), places.end(), Place{uuid, 0});
  return place != places.end() && place->uuid == uuid ? &*place : nullptr;
}

}  // namespace virtmeter
