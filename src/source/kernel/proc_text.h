// What the kernel's texts about a process mean: /proc/<pid>/stat, schedstat, cmdline, comm and the accounting
// files of control groups. A process chooses parts of them itself (its names, its command line), so they are
// strangers' bytes; a text that is cut off or no text of its kind gives nothing. Pure functions.
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "model/cycle.h"

namespace virtmeter {

// Of /proc/<pid>/stat, proc(5).
struct ProcessStat {
  char state = '?';  // 'Z': it has ended, and nobody has asked how yet.
  std::uint32_t parent = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t user_ticks = 0;  // Of sysconf(_SC_CLK_TCK) a second.
  std::uint64_t system_ticks = 0;
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  // After boot. With the pid it names a process for ever.
  std::uint64_t resident_pages = 0;
};
std::optional<ProcessStat> parse_process_stat(std::string_view text);
// When the process or thread was started, to the tick.
BootTime start_time(const ProcessStat& stat);

// The next moment after `now` at which it is the turn of `pid`, when each has one in every `period`: what is
// done once in a while is then not done for all processes at once.
BootTime next_turn(BootTime now, std::chrono::seconds period, std::uint32_t pid);

// Of /proc/<pid>/task/<tid>/schedstat: time on a CPU, and time it was able to run but had none.
struct ThreadTimes {
  std::uint64_t run_ns = 0;
  std::uint64_t delay_ns = 0;
};
// Nothing for "0 0 0" as well: a kernel without scheduler information writes that.
std::optional<ThreadTimes> parse_schedstat(std::string_view text);

// Of the cpuacct group or cpu.stat.
struct CpuTimes {
  std::uint64_t total_ns = 0;
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
};
// cpu.stat of cgroup v2: usage_usec, user_usec, system_usec.
std::optional<CpuTimes> parse_cpu_stat(std::string_view text);
// cpuacct.usage in nanoseconds and cpuacct.stat in ticks, of cgroup v1.
std::optional<CpuTimes> parse_cpuacct(std::string_view usage, std::string_view stat, std::uint64_t tick_ns);

// The whole text as one number, spaces around it allowed.
std::optional<std::uint64_t> parse_number(std::string_view text);

// The number of the vCPU whose thread calls itself so ("CPU 3/KVM", "CPU 0/TCG").
std::optional<std::uint32_t> vcpu_of_thread_name(std::string_view comm);
// One thread for all vCPUs ("ALL CPUs/TCG").
bool is_shared_vcpu_thread(std::string_view comm);

// The VM that a QEMU's command line names with its first -uuid. Later ones are an administrator's own words.
std::optional<Uuid> uuid_of_command_line(std::string_view words);
// Whether the command line's first -name is guest=`name`.
bool command_line_names(std::string_view words, std::string_view name);

}  // namespace virtmeter
