// The threads of a QEMU that run vCPUs, found by the names QEMU gives them ("CPU 0/KVM"; libvirt switches
// that on), and their time on a CPU and in the run queue. They are looked for when the number of threads
// changes, a read fails, or after kLookAgain; then only threads that are new are asked for their name.
// Collector thread only.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "source/kernel/kernel_files.h"
#include "source/kernel/proc_text.h"

namespace virtmeter {

struct VcpuTimes {
  std::uint32_t vcpu = 0;            // libvirt's number: gaps are where vCPUs were unplugged.
  std::optional<ThreadTimes> times;  // Nothing when it could not be read.
};

class VcpuThreads {
 public:
  // All names are read again at least this often, for a thread that got another's number unseen. Each process
  // has a turn of its own, by its pid.
  static constexpr std::chrono::minutes kLookAgain{5};
  // A QEMU with more is not looked into.
  static constexpr std::size_t kThreadsMax = 16'384;

  // Makes `into` the times of all vCPUs, by number. `process` is the open folder of a process that just had
  // `thread_count` threads; `pid` names the one all others take their first name from.
  struct Look {
    KernelFiles::Handle process = KernelFiles::kNone;
    std::uint32_t pid = 0;
    std::uint64_t thread_count = 0;
    BootTime now;
  };
  void read(const KernelAccess& access, const Look& look, std::vector<VcpuTimes>& into);

  // How many vCPUs there are; nothing when their threads cannot be told apart.
  std::optional<std::uint32_t> count() const { return count_; }

 private:
  enum class Role : std::uint8_t {
    other,
    vcpu,
    shared,   // Runs all vCPUs.
    unnamed,  // Just started, and still bears its maker's name: it may become any.
  };
  struct Thread {
    std::uint32_t tid = 0;
    Role role = Role::other;
    std::uint32_t vcpu = 0;
    KernelFile schedstat;
  };

  void look(const KernelAccess& access, const Look& look, bool all);
  static void name(KernelFiles& files, const Look& look, Thread& thread);
  void count_vcpus();

  std::vector<Thread> threads_;  // By tid.
  std::vector<Thread> before_;
  std::vector<std::uint32_t> tids_;
  std::vector<std::uint32_t> vcpus_;  // Places in threads_, by vCPU.
  std::optional<std::uint32_t> count_;
  std::uint64_t thread_count_ = 0;
  BootTime all_read_again_at_{};
  bool look_again_ = true;
};

}  // namespace virtmeter
