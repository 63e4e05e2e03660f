#include "source/kernel/cpu_accounting.h"

#include <unistd.h>

#include <array>

namespace virtmeter {
namespace {

std::uint64_t tick_ns() {
  static const std::uint64_t tick = 1'000'000'000u / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return tick;
}

std::optional<CpuTimes> of_process(const ProcessStat& process) {
  CpuTimes times{0, process.user_ticks, process.system_ticks};
  if (__builtin_mul_overflow(times.user_ns, tick_ns(), &times.user_ns) ||
      __builtin_mul_overflow(times.system_ns, tick_ns(), &times.system_ns) ||
      __builtin_add_overflow(times.user_ns, times.system_ns, &times.total_ns))
    return std::nullopt;
  return times;
}

// These are few a VM and have no other way, so they are kept whatever the budget says of other files.
KernelFile open_file(const KernelAccess& access, const std::string& path) {
  return {access, access.files.open(KernelFiles::kNone, path.c_str()).handle};
}

}  // namespace

void CpuAccounting::choose(const KernelAccess& access, KernelFiles::Handle process, int domain_id,
                           std::string_view cgroup_root) {
  std::array<char, 8192> buffer;
  Trouble trouble = Trouble::none;
  const std::string_view text = read_text(access.files, process, "cgroup", buffer, trouble);
  // A kernel without control groups has no such file.
  const bool is_readable = trouble == Trouble::none || trouble == Trouble::gone;
  const MachineGroup group = is_readable ? machine_group(text, domain_id) : MachineGroup{Kind::foreign, {}};
  const bool is_same = group.kind == kind_ && group.path == path_;
  // A file that could not be opened then may be there now.
  const bool is_open = usage_ && (stat_ || kind_ != Kind::v1);
  const bool is_group = group.kind == Kind::v1 || group.kind == Kind::v2;
  if (is_same && (is_open || !is_group)) return;
  kind_ = group.kind;
  path_ = group.path;
  usage_.reset();
  stat_.reset();
  if (is_group) open_group(access, cgroup_root);
}

void CpuAccounting::open_group(const KernelAccess& access, std::string_view cgroup_root) {
  const std::string root(cgroup_root);
  if (kind_ == Kind::v1) {
    usage_ = open_file(access, root + "/cpuacct" + path_ + "/cpuacct.usage");
    stat_ = open_file(access, root + "/cpuacct" + path_ + "/cpuacct.stat");
    return;
  }
  usage_ = open_file(access, root + path_ + "/cpu.stat");
  if (!usage_) usage_ = open_file(access, root + "/unified" + path_ + "/cpu.stat");
}

std::optional<CpuTimes> CpuAccounting::read(const KernelAccess& access, const ProcessStat& process) {
  if (kind_ == Kind::none) return of_process(process);
  if (kind_ == Kind::foreign || !usage_) return std::nullopt;
  std::array<char, 4096> usage;
  const auto read = access.files.read(usage_.handle(), usage);
  const std::string_view text(usage.data(), read.size);
  if (kind_ == Kind::v2) return parse_cpu_stat(text);
  if (!stat_) return std::nullopt;
  std::array<char, 512> stat;
  const auto split = access.files.read(stat_.handle(), stat);
  return parse_cpuacct(text, {stat.data(), split.size}, tick_ns());
}

}  // namespace virtmeter
