// A source turns an outside world into readings. It computes no rate and no sum: the sampler does.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/cycle.h"
#include "source/fast_reader.h"

namespace virtmeter {

// A VM whose process on the host does not answer.
struct HungVm {
  std::string name;  // A stranger's bytes.
  std::string uuid;
  BootTime since;
};

// How many VMs of the last cycle were read where.
struct TierCounts {
  std::uint64_t kernel_vms = 0;   // CPU, memory and NICs from the kernel.
  std::uint64_t mixed_vms = 0;    // Some of it.
  std::uint64_t libvirt_vms = 0;  // None of it.
  std::uint64_t balloon_vms = 0;  // Asked for their balloon.
  std::uint64_t block_vms = 0;    // Asked for their disks.
};

// What a source says of itself. Counts are since start.
struct SourceStatus {
  std::string target;   // "qemu:///system"; safe to show.
  std::string version;  // "QEMU, libvirt 9.0.0"; empty while not connected.
  bool connected = false;
  std::string last_error;  // Why not connected, with the fix; empty when all is well.
  std::uint64_t reconnects = 0;
  std::uint64_t events = 0;          // Lifecycle and device events received.
  std::uint64_t bulk_calls = 0;      // Requests for bulk statistics.
  std::uint64_t fallback_calls = 0;  // Per-domain calls made because bulk did not give a group.
  std::uint64_t failed_calls = 0;
  std::uint64_t vms_vanished = 0;  // Listed, but gone when they were read.
  std::uint64_t vms_unread = 0;    // Listed, but the connection was lost before they were read.
  std::uint64_t cache_entries = 0;
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t xml_reads = 0;  // Domain XML read and parsed.
  std::uint64_t cache_bytes = 0;
  std::uint64_t xml_failures = 0;  // XML that could not be read or made no sense.

  std::uint64_t cancelled_calls = 0;  // Ended because there was no answer in time.
  TierCounts tiers;
  FastStatus fast;                       // All 0 where there is no kernel to ask.
  std::uint64_t hung_vms = 0;            // In the last cycle, as the rest below.
  std::vector<HungVm> hung;              // The first kHungListed of them.
  std::uint64_t busy_vms = 0;            // Held by another job: read in part.
  std::uint64_t stale_vms = 0;           // Their turn did not come: read in part.
  std::chrono::nanoseconds patience{0};  // How long a full request for bulk statistics may take.
  static constexpr std::size_t kHungListed = 20;
};

class Source {
 public:
  virtual ~Source() = default;

  // Reads every active VM once and makes `vms` their samples. What it held before is storage to be used again
  // (begin_sample). One VM's failure costs that VM's values, never another's. An error means that no VM could
  // be read at all, and leaves `vms` empty.
  virtual Status read(std::vector<VmSample>& vms) = 0;

  // The name of the hypervisor's host; empty when not known.
  virtual std::string host_name() = 0;

  virtual SourceStatus status() const = 0;  // Thread-safe; read() and host_name() are for one thread.
};

}  // namespace virtmeter
