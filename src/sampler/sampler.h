// The sampler makes cycles: asks the source, completes sums, derives trends, stamps. The wall clock is read
// once a cycle, at its start, and only for the record. Collector thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "model/cycle.h"
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
    std::shared_ptr<const Cycle> cycle;  // Never null; without VMs when the source could not be read.
    Status status;                       // Why not.
  };
  Sampled sample();

  // From the next sample() on.
  void set_options(const SamplerOptions& options);

  const SamplerStats& stats() const { return stats_; }

 private:
  std::string host_tag();

  Source& source_;
  const Clock& clock_;
  SamplerOptions options_;
  Deriver deriver_;
  SamplerStats stats_;
  std::string host_name_;
};

}  // namespace virtmeter
