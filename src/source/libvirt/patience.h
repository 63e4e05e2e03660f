// How long a bulk request may take before virtmeter takes it that a QEMU hangs: a multiple of what requests
// have taken so far, within what the beat leaves. Bulk statistics are read VM by VM, so a request's time is
// per VM. Pure arithmetic. Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>

namespace virtmeter {

class Patience {
 public:
  struct Bounds {
    std::chrono::nanoseconds interval = std::chrono::seconds(5);  // From beat to beat.
    std::chrono::nanoseconds timeout = std::chrono::seconds(10);  // Never longer than this.
  };

  explicit Patience(Bounds bounds) : bounds_(bounds) {}

  // A request for `vms` VMs that took this long; or that had not been answered by then, though nobody hung.
  void note(std::chrono::nanoseconds took, std::size_t vms);

  // For a request while all is well, and for one while hung VMs are looked for.
  std::chrono::nanoseconds usual(std::size_t vms) const;
  std::chrono::nanoseconds searching(std::size_t vms) const;

  // For a call about one VM outside bulk.
  std::chrono::nanoseconds single_call() const;

  // How long a cycle with `vms` VMs may go on looking for hung ones: the beat is to be kept.
  std::chrono::nanoseconds search(std::size_t vms) const;

  // What a request for `vms` VMs takes, as far as is known.
  std::chrono::nanoseconds expected(std::size_t vms) const;

 private:
  std::chrono::nanoseconds beat_part() const;

  const Bounds bounds_;
  std::chrono::nanoseconds per_vm_{0};  // 0: not known yet.
};

}  // namespace virtmeter
