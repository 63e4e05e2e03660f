// The sampler makes cycles: asks the source, completes sums, derives trends, stamps. The wall clock is read
// once a cycle, at its start, and only for the record. A beat with as many VMs and devices as the last
// allocates nothing. Collector thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "model/cycle.h"
#include "sampler/cycle_pool.h"
#include "sampler/derive.h"
#include "source/source.h"

namespace virtmeter {

struct SamplerOptions {
  std::chrono::nanoseconds interval = std::chrono::seconds(5);
  std::string host_tag;  // Empty: none. "auto": the hypervisor's host name.
};

struct SamplerStats {
  std::uint64_t cycles = 0;
  std::uint64_t failed_cycles = 0;   // No VM could be read at all.
  std::uint64_t vms = 0;             // In the last cycle.
  std::uint64_t unknown_states = 0;  // State codes that virtmeter has no name for, since start.
  AbsenceCounts absences{};          // Absent values of the core measurements since start, by reason.
  double loop_latency_ms = 0;        // Of the last cycle.
};

class Sampler {
 public:
  // `source` and `clock` must outlive the sampler.
  Sampler(Source& source, const Clock& clock, const SamplerOptions& options);

  struct Sampled {
    // Never null; without VMs when the source could not be read. Filled again when nobody holds it any more.
    std::shared_ptr<const Cycle> cycle;
    Status status;  // Why not.
  };
  Sampled sample();

  // From the next sample() on.
  void set_options(const SamplerOptions& options);

  const SamplerStats& stats() const { return stats_; }

 private:
  const std::string& host_tag();

  Source& source_;
  const Clock& clock_;
  SamplerOptions options_;
  CyclePool pool_;
  Deriver deriver_;
  SamplerStats stats_;
  std::string host_name_;
};

}  // namespace virtmeter
