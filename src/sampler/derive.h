// Derivation: what follows from two cycles of one VM. A rate is made only where it is honest: both values
// were read, the VM is in the same life, no counter of any device went back, the devices are the same ones,
// and the gap is not longer than a few intervals. Everything else stays absent. Intervals come from the boot
// clock of the two readings. Not thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <unordered_map>

#include "model/cycle.h"

namespace virtmeter {

class Deriver {
 public:
  // Two readings further apart than `gap_max` are not bridged by one average.
  explicit Deriver(std::chrono::nanoseconds gap_max) : gap_max_(gap_max) {}

  // From the next derive() on.
  void set_gap_max(std::chrono::nanoseconds gap_max) { gap_max_ = gap_max; }

  // Fills the derived values of `cycle` from the cycles remembered so far.
  void derive(Cycle& cycle) const;

  // Makes `cycle` the previous one of all its VMs. VMs unseen for longer than the gap are forgotten.
  void remember(const std::shared_ptr<const Cycle>& cycle, BootTime now);

 private:
  struct Previous {
    std::shared_ptr<const Cycle> cycle;
    std::size_t index = 0;  // Into cycle->vms.
  };

  std::chrono::nanoseconds gap_max_;
  std::unordered_map<Uuid, Previous, UuidHash> previous_;
};

// The derived values of `now` against an earlier sample of the same life of the same VM.
void derive_features(VmSample& now, const VmSample& before);

}  // namespace virtmeter
