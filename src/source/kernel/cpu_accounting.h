// The CPU time of a VM by the same account as libvirt's: that of its machine's control group, which holds
// helpers of QEMU too, or where it has none the process's own (in ticks). Both agree with bulk statistics of
// libvirt 9 (cpu.time, cpu.user, cpu.system); which one counts is looked up again while the process is young,
// because libvirt moves it into its group after the start. Collector thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "source/kernel/kernel_files.h"
#include "source/kernel/machine_group.h"
#include "source/kernel/proc_text.h"

namespace virtmeter {

class CpuAccounting {
 public:
  // Reads the cgroup file of the process whose folder is open. `cgroup_root`: "/sys/fs/cgroup".
  void choose(const KernelAccess& access, KernelFiles::Handle process, int domain_id,
              std::string_view cgroup_root);

  // Nothing where only libvirt can tell. `process` was just read.
  std::optional<CpuTimes> read(const KernelAccess& access, const ProcessStat& process);

 private:
  using Kind = MachineGroup::Kind;

  void open_group(const KernelAccess& access, std::string_view cgroup_root);

  Kind kind_ = Kind::foreign;
  std::string path_;
  KernelFile usage_;  // cpu.stat or cpuacct.usage.
  KernelFile stat_;   // cpuacct.stat.
};

}  // namespace virtmeter
