// One VM on its way through a read: what the parts of the libvirt source hand from one to the next. Plain
// data; collector thread only.
#pragma once

#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "model/cycle.h"
#include "source/fast_reader.h"
#include "source/libvirt/bulk_record.h"
#include "source/libvirt/connector.h"
#include "source/libvirt/device_directory.h"
#include "source/source.h"

namespace virtmeter {

struct VmReading {
  // Whole, or without what only its QEMU knows, and why.
  enum class Way { whole, hung, out_of_time, too_many_calls };

  LiveVm* live = nullptr;
  VmSample sample;
  GroupSet wanted = kAllGroups;  // What libvirt is asked for in this cycle.
  bool wants_info = false;       // Besides: the number of vCPUs, which libvirt knows without the QEMU.
  FastCoverage fast;             // What is in the sample already, from the kernel.
  RecordGroups groups;
  Way way = Way::whole;
  BootTime hung_since;  // When `way` is hung.
  bool has_record = false;
  bool vanished = false;
  bool balloon_kept = false;      // Not asked for: what was read before is what it would say.
  bool balloon_answered = false;  // In this cycle.

  // Begins a cycle. Keeps the sample's storage.
  void begin(LiveVm& vm) {
    live = &vm;
    wanted = kAllGroups;
    wants_info = false;
    fast = {};
    groups = {};
    way = Way::whole;
    hung_since = {};
    has_record = vanished = balloon_kept = balloon_answered = false;
    sample.layout.reset();
  }
  // What has been read of the groups that are asked for is not of this answer.
  void forget_values() {
    forget(sample.values, [this](MetricId id) { return wanted.has(group_of(id)) && !from_kernel(id); });
    if (wanted.has(StatGroup::interface)) sample.nics.assign(sample.nics.size(), {});
    if (wanted.has(StatGroup::block)) sample.disks.assign(sample.disks.size(), {});
    groups = {};
    has_record = false;
  }
  void forget_kept_balloon() {
    if (!std::exchange(balloon_kept, false)) return;
    forget(sample.values,
           [this](MetricId id) { return group_of(id) == StatGroup::balloon && !from_kernel(id); });
  }
  // A new layout keeps the values of NICs that are the same.
  void give_layout(std::shared_ptr<const VmLayout> layout) {
    vanished = vanished || layout == nullptr;
    if (vanished || layout == sample.layout) return;
    if (!sample.layout) return begin_sample(sample, std::move(layout));
    if (sample.layout->nics != layout->nics) {
      sample.nics.assign(layout->nics.size(), {});
      fast.nics = false;
    }
    if (sample.layout->disks != layout->disks) sample.disks.assign(layout->disks.size(), {});
    sample.layout = std::move(layout);
  }

  bool from_kernel(MetricId id) const {
    switch (group_of(id)) {
      case StatGroup::cpu:
        return fast.cpu_time;
      case StatGroup::vcpu:
        return fast.cpu_count;
      case StatGroup::balloon:
        return fast.resident && id == metric_id("vm_totals.memrss");
      default:
        return false;
    }
  }

 private:
  template <typename Which>
  static void forget(VmValues& values, Which which) {
    for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) {
      if (metric(id).origin.how == How::read && which(id)) values.set_absent(id, Absence::not_read);
    }
  }
};

// What every part of the source works with. All outlive the parts.
struct ReadTools {
  Connector& connector;
  const Clock& clock;
  LimitedLog& warnings;
  DeviceDirectory& directory;
  SourceStatus& counts;
};

inline BootTime middle(BootTime a, BootTime b) { return a + (b - a) / 2; }

}  // namespace virtmeter
