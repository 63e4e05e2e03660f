// The VMs of this host's QEMU as the kernel sees them: CPU time, resident memory, vCPUs and NICs for a
// hundredth of libvirt's price, from files kept open and one netlink dump a cycle. What the kernel does not
// tell reliably is left to libvirt, value group by value group and VM by VM; nothing is logged here, status()
// counts. A cycle in which no VM changes allocates nothing. Collector thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "source/fast_reader.h"
#include "source/kernel/link_table.h"
#include "source/kernel/process_finder.h"
#include "source/kernel/qemu_process.h"

namespace virtmeter {

struct KernelReaderOptions {
  ProcessFinderOptions finder;
  std::string cgroup_root = "/sys/fs/cgroup";
  std::size_t files_max = 0;  // How many files may be kept open: raise_file_limit().
};

class KernelReader final : public FastReader {
 public:
  // All but the options must outlive the reader.
  KernelReader(const KernelReaderOptions& options, KernelFiles& files, LinkPort& links, const Clock& clock);
  // The machine's own /proc, /sys and network namespace, with the file limit raised.
  static std::unique_ptr<KernelReader> of_this_host(const Clock& clock);
  ~KernelReader() override;

  void begin_cycle() override;
  FastCoverage read(VmSample& sample) override;
  void end_cycle() override;
  FastStatus status() const override;

  // What was read of a VM in this cycle; null when its process was not. Valid until the next begin_cycle().
  const VmKernelReading* reading(const Uuid& uuid) const;

 private:
  struct Vm {
    int domain_id = -1;
    std::optional<QemuProcess> process;
    VmKernelReading reading;
    std::uint64_t seen_in = 0;  // Cycles.
    std::uint64_t read_in = 0;
    Miss miss = Miss::not_found;
    BootTime look_at{};
    std::chrono::nanoseconds wait{0};
    FastCoverage covered;
  };
  struct Host;  // Files and links of this host, when the reader owns them.

  void look_for(Vm& vm, const VmLayout& layout);
  bool in_our_network(const FoundProcess& process);
  FastCoverage fill(const Vm& vm, VmSample& sample);
  bool fill_nics(const QemuProcess& process, VmSample& sample);

  std::unique_ptr<Host> host_;  // First, so that it is destroyed last.
  KernelReaderOptions options_;
  FileBudget budget_;
  KernelAccess access_;
  const Clock& clock_;
  ProcessFinder finder_;
  LinkTable links_;
  std::unordered_map<Uuid, Vm, UuidHash> vms_;
  std::string our_network_path_;
  std::optional<std::uint64_t> our_network_;
  std::uint64_t cycle_ = 0;
};

}  // namespace virtmeter
