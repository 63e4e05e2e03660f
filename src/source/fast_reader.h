// What a local hypervisor's kernel tells of VMs for a hundredth of libvirt's price. The interface is the seam
// between the libvirt source, which knows who is there, and source/kernel. Not thread-safe.
#pragma once

#include <cstdint>

#include "model/cycle.h"

namespace virtmeter {

// What was read of one VM. What was not, libvirt has to be asked for.
struct FastCoverage {
  bool cpu_time = false;   // vm_metrics.cputime_ns, vm_totals.timeusr and timesys.
  bool resident = false;   // vm_totals.memrss.
  bool cpu_count = false;  // vm_metrics.cpu_count.
  bool nics = false;       // Every row of every NIC of the layout.
};

// What a fast reader says of itself. VMs are those of the last cycle, the other counts since start.
struct FastStatus {
  std::uint64_t vms_followed = 0;         // Their process is known and read.
  std::uint64_t vms_not_found = 0;        // No process names them: they run elsewhere, or are hidden from us.
  std::uint64_t vms_ambiguous = 0;        // Several processes claim to be them.
  std::uint64_t vms_refused = 0;          // We may not read their process.
  std::uint64_t vms_over_file_limit = 0;  // No file could be opened for them.
  // Of the VMs followed, those left to libvirt for a group of values.
  std::uint64_t cpu_time_left = 0;
  std::uint64_t cpu_count_left = 0;
  std::uint64_t nics_left = 0;
  std::uint64_t foreign_networks = 0;  // Of these, because they live in another network namespace.

  std::uint64_t files_open = 0;
  std::uint64_t process_passes = 0;  // Passes over all processes in search of VMs.
  std::uint64_t links = 0;           // Network interfaces known.
  std::uint64_t link_dumps = 0;      // Of their names: one at the start, one for each doubt.
  std::uint64_t link_events = 0;
  std::uint64_t failed_dumps = 0;  // Of names or counters.
};

class FastReader {
 public:
  virtual ~FastReader() = default;

  // Once before the VMs of a cycle. Reads the counters of all NICs, so the VMs should follow at once, before
  // anything that takes time.
  virtual void begin_cycle() = 0;

  // Sets what it can read in `sample`, whose layout and device values are in place, and sample.read_at when
  // it has read anything; leaves the rest alone.
  virtual FastCoverage read(VmSample& sample) = 0;

  // Forgets the VMs that were not read since begin_cycle().
  virtual void end_cycle() = 0;

  virtual FastStatus status() const { return {}; }
};

}  // namespace virtmeter
