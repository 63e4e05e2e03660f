// What a local hypervisor's kernel tells of VMs for a hundredth of libvirt's price. The interface is the seam
// between the libvirt source, which knows who is there, and source/kernel. Not thread-safe.
#pragma once

#include "model/cycle.h"

namespace virtmeter {

// What was read of one VM. What was not, libvirt has to be asked for.
struct FastCoverage {
  bool cpu_time = false;   // vm_metrics.cputime_ns, vm_totals.timeusr and timesys.
  bool resident = false;   // vm_totals.memrss.
  bool cpu_count = false;  // vm_metrics.cpu_count.
  bool nics = false;       // Every row of every NIC of the layout.
};

class FastReader {
 public:
  virtual ~FastReader() = default;

  // Once before the VMs of a cycle.
  virtual void begin_cycle() = 0;

  // Sets what it can read in `sample`, whose layout and device values are in place, and sample.read_at when
  // it has read anything; leaves the rest alone.
  virtual FastCoverage read(VmSample& sample) = 0;

  // Forgets the VMs that were not read since begin_cycle().
  virtual void end_cycle() = 0;
};

}  // namespace virtmeter
