// Finds out who is to blame for a call that got no answer, and keeps the VMs that are in quarantine. libvirt
// knows, without asking the QEMU, whether and for how long some call waits for it (virDomainGetControlInfo).
// Collector thread only.
#pragma once

#include <chrono>
#include <span>

#include "source/libvirt/quarantine.h"
#include "source/libvirt/vm_reading.h"

namespace virtmeter {

class HangFinder {
 public:
  HangFinder(const ReadTools& tools, std::chrono::nanoseconds interval)
      : tools_(tools), quarantine_(interval) {}

  // The VMs of this cycle, whose handles renew() replaces.
  void begin_cycle(std::span<LiveVm> live) { live_ = live; }

  // Makes the connections usable again after a timeout. False: libvirt itself does not answer.
  bool renew();

  enum class Verdict {
    hung,  // And in quarantine now.
    free,  // It answers: it was slow, or another VM is to blame.
    gone,
    unknown,  // A long job hides it, or this driver cannot say.
  };
  // After a call that had asked this VM, perhaps among others, and that was given up after `waited`.
  Verdict judge(VmReading& reading, std::chrono::nanoseconds waited);

  // The VM is to blame, whatever libvirt says of it.
  void seize(VmReading& reading, BootTime since);

  // It answers again.
  void release(VmReading& reading);

  Quarantine& quarantine() { return quarantine_; }
  const Quarantine& quarantine() const { return quarantine_; }

 private:
  const ReadTools tools_;
  Quarantine quarantine_;
  std::span<LiveVm> live_;
};

}  // namespace virtmeter
