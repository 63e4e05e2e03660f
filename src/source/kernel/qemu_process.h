// One VM's QEMU process, followed from its discovery to its end, with its files kept open. A process that
// ends, or whose number is another's by now, is noticed by the read that follows. Collector thread only.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "source/kernel/cpu_accounting.h"
#include "source/kernel/process_finder.h"
#include "source/kernel/vcpu_threads.h"

namespace virtmeter {

// What the kernel says of a VM in one cycle, beyond the metrics it shares with libvirt.
struct VmKernelReading {
  BootTime read_at;
  std::uint64_t minor_faults = 0;  // Of the QEMU process on the host, not of the guest.
  std::uint64_t major_faults = 0;
  std::uint64_t resident_kib = 0;
  std::optional<CpuTimes> cpu;  // The VM's, by libvirt's account.
  std::optional<std::uint32_t> vcpu_count;
  std::vector<VcpuTimes> vcpus;  // By number; empty when threads cannot be told apart.
};

class QemuProcess {
 public:
  // `access` must outlive the process.
  QemuProcess(const KernelAccess& access, FoundProcess found, bool same_network);

  // False: the process has ended, or cannot be read any more.
  struct Ask {
    int domain_id = -1;
    std::string_view cgroup_root;
    const Clock& clock;
  };
  bool read(const Ask& ask, VmKernelReading& into);

  // Whether its network interfaces are in the namespace we see.
  bool same_network() const { return same_network_; }
  std::uint32_t pid() const { return found_.pid; }

 private:
  void choose_account(const Ask& ask, BootTime now);

  const KernelAccess& access_;
  FoundProcess found_;
  bool same_network_;
  KernelFile stat_;
  VcpuThreads threads_;
  CpuAccounting account_;
  BootTime account_due_{};  // When to look it up again.
};

}  // namespace virtmeter
