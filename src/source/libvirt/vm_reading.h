// One VM on its way through a read: what the parts of the libvirt source hand from one to the next. Plain
// data; collector thread only.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "model/cycle.h"
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
  RecordGroups groups;
  Way way = Way::whole;
  BootTime hung_since;  // When `way` is hung.
  bool has_record = false;
  bool vanished = false;

  // What has been read so far is not of this answer.
  void forget_values() {
    sample.values = {};
    sample.nics.assign(sample.nics.size(), {});
    sample.disks.assign(sample.disks.size(), {});
    groups = {};
    has_record = false;
  }
  void give_layout(std::shared_ptr<const VmLayout> layout) {
    vanished = vanished || layout == nullptr;
    if (vanished || layout == sample.layout) return;
    sample.nics.assign(layout->nics.size(), {});
    sample.disks.assign(layout->disks.size(), {});
    sample.layout = std::move(layout);
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
