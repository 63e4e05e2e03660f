// Finds the QEMU process of a VM: by the pid file that libvirt keeps, else by one pass over all command lines
// for all VMs that are missing. Either is only a hint: the process whose folder is then open must name the
// VM's UUID and name on its own command line. Passes cost at most 1 % of a core, whatever there is to find.
// Collector thread only.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "model/cycle.h"
#include "source/kernel/kernel_files.h"
#include "source/kernel/proc_text.h"

namespace virtmeter {

// Why there is no process of a VM to be read.
enum class Miss : std::uint8_t {
  none,
  later,       // It is not this moment's turn to look.
  not_found,   // No process names the VM: on another host, or hidden from us.
  ambiguous,   // Several processes claim to be it.
  permission,  // There is one, which we may not read.
  file_limit,
};

// A process whose folder in /proc is open: whatever is read through it is this process's.
struct FoundProcess {
  KernelFile folder;
  std::uint32_t pid = 0;
  std::uint64_t start_ticks = 0;
  BootTime started;
};

struct ProcessFinderOptions {
  std::string proc_root = "/proc";
  std::string run_root = "/run/libvirt/qemu";  // Where libvirt keeps <name>.pid.
};

class ProcessFinder {
 public:
  // All must outlive the finder.
  ProcessFinder(const KernelAccess& access, const Clock& clock, const ProcessFinderOptions& options)
      : access_(access), clock_(clock), options_(options), buffer_(kCommandLineBytes) {}

  void begin_cycle() { candidates_are_of_now_ = false; }
  Miss find(const VmLayout& vm, FoundProcess& found);

  std::uint64_t passes() const { return passes_; }

 private:
  // What stands behind this many bytes is not looked at; libvirt writes the UUID before the devices.
  static constexpr std::size_t kCommandLineBytes = 64 * 1024;

  struct Candidate {
    Uuid uuid;
    std::uint32_t pid = 0;
    std::uint32_t parent = 0;
  };

  std::uint32_t pid_from_file(const VmLayout& vm);
  Miss adopt(std::uint32_t pid, const VmLayout& vm, FoundProcess& found);
  void pass();
  void consider(KernelFiles::Handle proc, std::uint32_t pid);
  Miss choose(const Uuid& uuid, std::uint32_t& pid) const;

  const KernelAccess& access_;
  const Clock& clock_;
  const ProcessFinderOptions& options_;
  std::vector<char> buffer_;
  std::vector<std::uint32_t> pids_;
  std::vector<Candidate> candidates_;  // By UUID.
  bool candidates_are_of_now_ = false;
  BootTime no_pass_before_{};
  std::uint64_t passes_ = 0;
};

}  // namespace virtmeter
