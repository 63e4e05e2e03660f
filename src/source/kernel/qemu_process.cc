#include "source/kernel/qemu_process.h"

#include <unistd.h>

#include <array>
#include <utility>

namespace virtmeter {
namespace {

// While a process is this young libvirt may still move it into its control group.
constexpr std::chrono::seconds kYoung{30};
constexpr std::chrono::minutes kAccountLookAgain{5};

std::uint64_t page_kib() {
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
  return page;
}

}  // namespace

QemuProcess::QemuProcess(const KernelAccess& access, FoundProcess found, bool same_network)
    : access_(access), found_(std::move(found)), same_network_(same_network) {}

bool QemuProcess::read(const Ask& ask, VmKernelReading& into) {
  const BootTime begun = ask.clock.boot_now();
  choose_account(ask, begun);
  std::array<char, 2048> buffer;
  Trouble trouble = Trouble::none;
  const std::string_view text = read_kept(access_, stat_, found_.folder.handle(), "stat", buffer, trouble);
  const auto stat = trouble == Trouble::none ? parse_process_stat(text) : std::nullopt;
  if (!stat || stat->state == 'Z' || stat->state == 'X' || stat->start_ticks != found_.start_ticks)
    return false;
  into.minor_faults = stat->minor_faults;
  into.major_faults = stat->major_faults;
  into.resident_kib = stat->resident_pages * page_kib();
  into.cpu = account_.read(access_, *stat);
  threads_.read(access_, {found_.folder.handle(), found_.pid, stat->threads, begun}, into.vcpus);
  into.vcpu_count = threads_.count();
  into.read_at = begun + (ask.clock.boot_now() - begun) / 2;
  return true;
}

void QemuProcess::choose_account(const Ask& ask, BootTime now) {
  if (now < account_due_) return;
  account_.choose(access_, found_.folder.handle(), ask.domain_id, ask.cgroup_root);
  const bool is_young = now - found_.started < kYoung;
  account_due_ = is_young ? now : next_turn(now, kAccountLookAgain, found_.pid);
}

}  // namespace virtmeter
