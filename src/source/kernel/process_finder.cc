#include "source/kernel/process_finder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace virtmeter {
namespace {

using Path = std::array<char, 48>;

const char* process_path(Path& path, std::uint32_t pid, std::string_view file) {
  *fmt::format_to_n(path.data(), path.size() - 1, "{}{}", pid, file).out = '\0';
  return path.data();
}

// A pass is followed by a hundred times its length without one.
constexpr std::int64_t kRestFactor = 100;
constexpr std::chrono::seconds kRestMin{1};

bool has_ended(const ProcessStat& stat) { return stat.state == 'Z' || stat.state == 'X'; }

}  // namespace

Miss ProcessFinder::find(const VmLayout& vm, FoundProcess& found) {
  if (!access_.budget.folder_fits()) return Miss::file_limit;
  const std::uint32_t from_file = pid_from_file(vm);
  if (from_file != 0 && adopt(from_file, vm, found) == Miss::none) return Miss::none;
  if (!candidates_are_of_now_) {
    if (clock_.boot_now() < no_pass_before_) return Miss::later;
    pass();
  }
  std::uint32_t pid = 0;
  const Miss miss = choose(vm.uuid, pid);
  return miss == Miss::none ? adopt(pid, vm, found) : miss;
}

// 0 when there is none. libvirt allows no slash in a name, but the name is a stranger's all the same.
std::uint32_t ProcessFinder::pid_from_file(const VmLayout& vm) {
  if (vm.name.empty() || vm.name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) return 0;
  const std::string path = options_.run_root + "/" + vm.name + ".pid";
  std::array<char, 32> text;
  Trouble trouble = Trouble::none;
  const auto pid = parse_number(read_text(access_.files, KernelFiles::kNone, path.c_str(), text, trouble));
  return pid && *pid <= INT32_MAX ? static_cast<std::uint32_t>(*pid) : 0;
}

Miss ProcessFinder::adopt(std::uint32_t pid, const VmLayout& vm, FoundProcess& found) {
  const std::string path = fmt::format("{}/{}", options_.proc_root, pid);
  const auto opened = access_.files.open_folder(KernelFiles::kNone, path.c_str());
  if (opened.trouble == Trouble::permission) return Miss::permission;
  if (opened.trouble == Trouble::file_limit) return Miss::file_limit;
  if (opened.handle == KernelFiles::kNone) return Miss::not_found;
  KernelFile folder(access_, opened.handle);
  Trouble trouble = Trouble::none;
  const auto stat = parse_process_stat(read_text(access_.files, folder.handle(), "stat", buffer_, trouble));
  if (trouble == Trouble::permission) return Miss::permission;
  if (!stat || has_ended(*stat)) return Miss::not_found;
  const std::string_view words = read_text(access_.files, folder.handle(), "cmdline", buffer_, trouble);
  if (trouble == Trouble::permission) return Miss::permission;
  if (uuid_of_command_line(words) != vm.uuid || !command_line_names(words, vm.name)) return Miss::not_found;
  found = {std::move(folder), pid, stat->start_ticks, start_time(*stat)};
  return Miss::none;
}

void ProcessFinder::pass() {
  const BootTime begun = clock_.boot_now();
  ++passes_;
  candidates_.clear();
  candidates_are_of_now_ = true;
  const auto proc = access_.files.open_folder(KernelFiles::kNone, options_.proc_root.c_str());
  if (proc.handle != KernelFiles::kNone) {
    if (access_.files.list_numbers(proc.handle, pids_) != Trouble::none) pids_.clear();
    for (const std::uint32_t pid : pids_) consider(proc.handle, pid);
    access_.files.close(proc.handle);
  }
  std::sort(candidates_.begin(), candidates_.end(),
            [](const Candidate& a, const Candidate& b) { return a.uuid < b.uuid; });
  const BootTime done = clock_.boot_now();
  const auto rest = std::max<std::chrono::nanoseconds>(kRestFactor * (done - begun), kRestMin);
  no_pass_before_ = done + rest;
}

void ProcessFinder::consider(KernelFiles::Handle proc, std::uint32_t pid) {
  Path path;
  Trouble trouble = Trouble::none;
  const auto uuid = uuid_of_command_line(
      read_text(access_.files, proc, process_path(path, pid, "/cmdline"), buffer_, trouble));
  if (!uuid) return;
  const auto stat =
      parse_process_stat(read_text(access_.files, proc, process_path(path, pid, "/stat"), buffer_, trouble));
  if (stat && !has_ended(*stat)) candidates_.push_back({*uuid, pid, stat->parent});
}

// Anyone may start a process with a VM's words, so of two neither is believed. But a QEMU that starts a
// helper is seen twice until the helper is another program: then the parent is meant.
Miss ProcessFinder::choose(const Uuid& uuid, std::uint32_t& pid) const {
  const auto first = std::lower_bound(candidates_.begin(), candidates_.end(), uuid,
                                      [](const Candidate& a, const Uuid& b) { return a.uuid < b; });
  auto end = first;
  while (end != candidates_.end() && end->uuid == uuid) ++end;
  std::size_t count = 0;
  for (auto it = first; it != end; ++it) {
    const auto is_parent = [&](const Candidate& other) { return other.pid == it->parent; };
    if (std::any_of(first, end, is_parent)) continue;
    pid = it->pid;
    ++count;
  }
  if (count == 0) return Miss::not_found;
  return count == 1 ? Miss::none : Miss::ambiguous;
}

}  // namespace virtmeter
