// Cycles for the tests of the encoders: one VM with two NICs and three disks, whose values are all different,
// and one with no device at all.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/cycle.h"

namespace virtmeter::test {

inline constexpr WallTime kTime{1'700'000'000'000'000'000};  // 2023-11-14T22:13:20Z.

struct LayoutParts {
  int domain_id = 7;
  std::string name = "web-1";
  std::uint8_t uuid_byte = 0x11;
  std::vector<std::string> nics = {};
  std::vector<std::string> disks = {};
};

inline std::shared_ptr<const VmLayout> make_layout(LayoutParts parts) {
  VmLayout layout;
  layout.uuid.bytes.fill(parts.uuid_byte);
  layout.domain_id = parts.domain_id;
  layout.name = std::move(parts.name);
  layout.uuid_text = layout.uuid.text();
  layout.nics = std::move(parts.nics);
  layout.disks = std::move(parts.disks);
  return std::make_shared<const VmLayout>(std::move(layout));
}

// Gives the line's integers that are read the values first, first + 1, ...
template <Scope S>
void fill(Values<S>& values, Line line, std::int64_t first) {
  for (MetricId id = line_rows(line).first; id < line_rows(line).end; ++id) {
    if (metric(id).origin.how == How::read) values.set_integer(id, first++);
  }
}

// A VM that runs, every value read, no trend yet.
inline VmSample make_vm(std::shared_ptr<const VmLayout> layout) {
  VmSample vm;
  vm.layout = std::move(layout);
  fill(vm.values, Line::vm_metrics, 101);
  fill(vm.values, Line::vm_totals, 201);
  vm.values.set_integer(metric_id("vm_totals.state"), 1);
  vm.nics.resize(vm.layout->nics.size());
  vm.disks.resize(vm.layout->disks.size());
  std::int64_t first = 1000;
  for (NicValues& nic : vm.nics) fill(nic, Line::nic, first += 1000);
  for (DiskValues& disk : vm.disks) fill(disk, Line::disk, first += 1000);
  complete(vm);
  vm.values.explain_unread(Absence::no_rate);
  return vm;
}

inline VmSample vm_with_devices() {
  return make_vm(make_layout({.nics = {"vnet0", "vnet1"}, .disks = {"vda", "vdb", "vdc"}}));
}

inline VmSample vm_without_devices() {
  return make_vm(make_layout({.domain_id = 8, .name = "bare", .uuid_byte = 0x22}));
}

// As the source tells of a VM whose QEMU has not answered for 12.5 s.
inline void make_hung(VmSample& vm) {
  vm.health.set_integer(metric_id("vm_health.health_code"), static_cast<std::int64_t>(Health::hung));
  vm.health.set_integer(metric_id("vm_health.reason_code"),
                        static_cast<std::int64_t>(HealthReason::no_answer));
  vm.health.set_integer(metric_id("vm_health.hung_ms"), 12500);
  vm.health.set_integer(metric_id("vm_health.cpu_age_ms"), 0);
  vm.health.set_integer(metric_id("vm_health.memory_age_ms"), 12400);
}

// The trends of a second cycle: 0.5, 1.5, ...
inline void add_trends(VmSample& vm) {
  double value = 0.5;
  for (MetricId id = line_rows(Line::vm_features).first; id < line_rows(Line::vm_features).end; ++id) {
    vm.values.set_real(id, value);
    value += 1;
  }
}

inline Cycle make_cycle(std::vector<VmSample> vms) {
  Cycle cycle;
  cycle.number = 1;
  cycle.time = kTime;
  cycle.vms = std::move(vms);
  cycle.collector.set_real(metric_id("collector_latency.loop_latency_ms"), 12.25);
  cycle.collector.set_real(metric_id("collector_latency.feature_latency_ms"), 0.5);
  return cycle;
}

}  // namespace virtmeter::test
