#include "sampler/derive.h"

#include <cmath>
#include <numbers>
#include <optional>

namespace virtmeter {
namespace {

constexpr RowRange kFeatures = line_rows(Line::vm_features);

// When the value of the row `id` was read.
BootTime read_time(const VmSample& vm, MetricId id) {
  if (id == metric_id("vm_metrics.memory_used_kb")) return vm.memory_read_at;
  const MetricId part = kMetricOf[id];
  return part < kMetricCount && scope_of(part) == Scope::disk ? vm.disks_read_at : vm.read_at;
}

// Zero or less where the value is still the one of the sample before.
double seconds_between(const VmSample& before, const VmSample& now, MetricId id) {
  return std::chrono::duration<double>(read_time(now, id) - read_time(before, id)).count();
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

// Whether the sum `id` is over the same devices, each of which went on counting.
bool same_parts(const VmSample& now, const VmSample& before, MetricId id) {
  const MetricId part = kMetricOf[id];
  if (scope_of(part) == Scope::nic) {
    return now.layout->nics == before.layout->nics && !any_went_back(now.nics, before.nics, part);
  }
  return now.layout->disks == before.layout->disks && !any_went_back(now.disks, before.disks, part);
}

std::optional<double> rate_of(MetricId id, const VmSample& now, const VmSample& before) {
  const auto was = before.values.integer(id);
  const auto is = now.values.integer(id);
  const double seconds = seconds_between(before, now, id);
  if (!was || !is || seconds <= 0) return std::nullopt;
  if (metric(id).kind == Kind::counter && *is < *was) return std::nullopt;
  if (metric(id).origin.how == How::sum && !same_parts(now, before, id)) return std::nullopt;
  return static_cast<double>(*is - *was) / seconds;
}

// The contract keeps the small addend of its first angle.
double angle_of(MetricId rate_id, double rate) {
  const double addend = rate_id == metric_id("vm_features.memory_rate_kb_per_sec") ? 1e-12 : 0.0;
  return std::atan(rate + addend) * 180.0 / std::numbers::pi;
}

}  // namespace

void derive_features(VmSample& now, const VmSample& before) {
  for (MetricId id = kFeatures.first; id < kFeatures.end; ++id) {
    const MetricId of = kMetricOf[id];
    if (metric(id).origin.how == How::rate) {
      const auto rate = rate_of(of, now, before);
      if (rate) now.values.set_real(id, *rate);
    } else if (const auto rate = now.values.real(of)) {
      now.values.set_real(id, angle_of(of, *rate));
    }
  }
}

void Deriver::derive(Cycle& cycle) const {
  for (VmSample& vm : cycle.vms) {
    for (MetricId id = kFeatures.first; id < kFeatures.end; ++id) vm.values.set_absent(id, Absence::no_rate);
    const auto known = previous_.find(vm.layout->uuid);
    if (known == previous_.end()) continue;
    const VmSample& before = known->second.cycle->vms[known->second.index];
    const bool same_life = before.layout->domain_id == vm.layout->domain_id;
    if (same_life && vm.read_at - before.read_at <= gap_max_) derive_features(vm, before);
  }
}

void Deriver::remember(const std::shared_ptr<const Cycle>& cycle, BootTime now) {
  for (std::size_t i = 0; i < cycle->vms.size(); ++i) {
    Previous& previous = previous_[cycle->vms[i].layout->uuid];
    previous.cycle = cycle;
    previous.index = i;
  }
  for (auto item = previous_.begin(); item != previous_.end();) {
    const VmSample& sample = item->second.cycle->vms[item->second.index];
    item = now - sample.read_at > gap_max_ ? previous_.erase(item) : std::next(item);
  }
}

}  // namespace virtmeter
