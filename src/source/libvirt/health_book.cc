#include "source/libvirt/health_book.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace virtmeter {
namespace {

struct Faults {
  std::uint32_t count = 0;
  HealthReason reason = HealthReason::none;  // Of the first.
};

HealthReason reason_of(Absence absence) {
  switch (absence) {
    case Absence::call_failed:
      return HealthReason::call_failed;
    case Absence::device_gone:
      return HealthReason::no_statistics;
    case Absence::out_of_range:
      return HealthReason::out_of_range;
    default:
      return HealthReason::none;
  }
}

template <Scope S>
void count_faults(const Values<S>& values, Faults& faults) {
  for (MetricId id = Values<S>::kRows.first; id < Values<S>::kRows.end; ++id) {
    const HealthReason reason = reason_of(values.absence(id));
    if (reason == HealthReason::none) continue;
    ++faults.count;
    if (faults.reason == HealthReason::none) faults.reason = reason;
  }
}

Faults faults_of(const VmSample& sample) {
  Faults faults;
  count_faults(sample.values, faults);
  for (const NicValues& nic : sample.nics) count_faults(nic, faults);
  for (const DiskValues& disk : sample.disks) count_faults(disk, faults);
  return faults;
}

std::int64_t milliseconds_since(BootTime then, BootTime now) {
  return std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(now - then).count());
}

struct Verdict {
  Health health = Health::ok;
  HealthReason reason = HealthReason::none;
};

// What the way of the reading says by itself.
Verdict verdict_of_way(const VmReading& reading) {
  switch (reading.way) {
    case VmReading::Way::hung:
      return {Health::hung, HealthReason::no_answer};
    case VmReading::Way::out_of_time:
      return {Health::stale, HealthReason::out_of_time};
    case VmReading::Way::too_many_calls:
      return {Health::stale, HealthReason::too_many_calls};
    case VmReading::Way::whole:
      break;
  }
  // A VM whose QEMU is not up yet has nothing to be missed.
  if (reading.groups.starting) return {};
  if (reading.groups.monitor_skipped()) return {Health::busy, HealthReason::other_job};
  if (!reading.sample.layout->devices_known) return {Health::partial, HealthReason::no_device_list};
  return {};
}

}  // namespace

void HealthBook::note_groups(Vm& vm, const VmReading& reading, BootTime now) {
  const VmSample& sample = reading.sample;
  const auto note = [&](Group group, bool read) {
    if (read) vm.last_read[group] = now;
  };
  note(cpu, sample.values.has(metric_id("vm_metrics.cputime_ns")));
  // The kernel tells the resident memory of a VM whose QEMU says nothing of the rest.
  const bool memory_is_known = !reading.fast.resident || reading.balloon_kept || reading.balloon_answered;
  note(memory, memory_is_known && sample.values.has(metric_id("vm_totals.memrss")));
  note(nic, std::any_of(sample.nics.begin(), sample.nics.end(),
                        [](const NicValues& values) { return values.has(metric_id("nic.rxbytes")); }));
  note(disk, std::any_of(sample.disks.begin(), sample.disks.end(),
                         [](const DiskValues& values) { return values.has(metric_id("disk.rd_req")); }));
}

Health HealthBook::judge(VmReading& reading, BootTime now) {
  Vm& vm = vms_[reading.live->uuid];
  if (vm.domain_id != reading.live->domain_id) vm = {};
  vm.domain_id = reading.live->domain_id;
  vm.judged = true;
  note_groups(vm, reading, now);

  Verdict verdict = verdict_of_way(reading);
  if (verdict.health == Health::ok && !reading.groups.starting) {
    const Faults faults = faults_of(reading.sample);
    const auto devices = static_cast<std::uint32_t>(reading.sample.nics.size() + reading.sample.disks.size());
    if (std::exchange(vm.is_new, false) || std::exchange(vm.device_count, devices) != devices) {
      vm.faults_least = faults.count;
      vm.device_count = devices;
    }
    vm.faults_least = std::min(vm.faults_least, faults.count);
    if (faults.count > vm.faults_least) verdict = {Health::partial, faults.reason};
  }

  const bool ok = verdict.health == Health::ok;
  const bool was_ok = std::exchange(vm.was_ok, ok);
  if (ok && was_ok) return verdict.health;
  HealthValues& health = reading.sample.health;
  health.set_integer(metric_id("vm_health.health_code"), static_cast<std::int64_t>(verdict.health));
  health.set_integer(metric_id("vm_health.reason_code"), static_cast<std::int64_t>(verdict.reason));
  tell(vm, reading, now);
  return verdict.health;
}

void HealthBook::tell(const Vm& vm, VmReading& reading, BootTime now) {
  HealthValues& health = reading.sample.health;
  if (reading.way == VmReading::Way::hung) {
    health.set_integer(metric_id("vm_health.hung_ms"), milliseconds_since(reading.hung_since, now));
  }
  const auto age = [&](Group group, MetricId id) {
    if (vm.last_read[group]) health.set_integer(id, milliseconds_since(*vm.last_read[group], now));
  };
  age(cpu, metric_id("vm_health.cpu_age_ms"));
  age(memory, metric_id("vm_health.memory_age_ms"));
  age(nic, metric_id("vm_health.nic_age_ms"));
  age(disk, metric_id("vm_health.disk_age_ms"));
}

void HealthBook::drop_unjudged() {
  for (auto vm = vms_.begin(); vm != vms_.end();) {
    vm = std::exchange(vm->second.judged, false) ? std::next(vm) : vms_.erase(vm);
  }
}

}  // namespace virtmeter
