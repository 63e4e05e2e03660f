#include "source/kernel/vcpu_threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace virtmeter {
namespace {

// QEMU names a thread as it starts. One that is older and has no name never gets one: those that were made
// before the names were switched on.
constexpr std::chrono::seconds kNamedAfter{1};

using Path = std::array<char, 48>;

const char* thread_path(Path& path, std::uint32_t tid, const char* file) {
  *fmt::format_to_n(path.data(), path.size() - 1, "task/{}/{}", tid, file).out = '\0';
  return path.data();
}

}  // namespace

void VcpuThreads::read(const KernelAccess& access, const Look& look_at, std::vector<VcpuTimes>& into) {
  const bool all = look_at.now >= all_read_again_at_ || threads_.empty();
  if (all || look_again_ || look_at.thread_count != thread_count_) look(access, look_at, all);
  into.clear();
  for (const std::uint32_t place : vcpus_) {
    Thread& thread = threads_[place];
    Path path;
    std::array<char, 128> buffer;
    Trouble trouble = Trouble::none;
    const std::string_view text = read_kept(access, thread.schedstat, look_at.process,
                                            thread_path(path, thread.tid, "schedstat"), buffer, trouble);
    if (trouble == Trouble::gone) {
      // Unplugged a moment ago: how many there are is known when they are looked at again.
      look_again_ = true;
      count_.reset();
    }
    into.push_back({thread.vcpu, trouble == Trouble::none ? parse_schedstat(text) : std::nullopt});
  }
}

void VcpuThreads::look(const KernelAccess& access, const Look& look_at, bool all) {
  thread_count_ = look_at.thread_count;
  look_again_ = false;
  if (all) all_read_again_at_ = next_turn(look_at.now, kLookAgain, look_at.pid);
  const auto folder = access.files.open_folder(look_at.process, "task");
  const Trouble trouble =
      folder.handle == KernelFiles::kNone ? folder.trouble : access.files.list_numbers(folder.handle, tids_);
  if (folder.handle != KernelFiles::kNone) access.files.close(folder.handle);
  if (trouble != Trouble::none || tids_.size() > kThreadsMax) tids_.clear();
  std::sort(tids_.begin(), tids_.end());

  before_.clear();
  before_.swap(threads_);
  auto known = before_.begin();
  for (const std::uint32_t tid : tids_) {
    while (known != before_.end() && known->tid < tid) ++known;
    const bool is_known = known != before_.end() && known->tid == tid;
    Thread thread = is_known ? std::move(*known) : Thread{tid, Role::unnamed, 0, {}};
    if (all || thread.role == Role::unnamed) name(access.files, look_at, thread);
    threads_.push_back(std::move(thread));
  }
  before_.clear();
  count_vcpus();
}

void VcpuThreads::name(KernelFiles& files, const Look& look_at, Thread& thread) {
  Path path;
  std::array<char, 128> buffer;
  std::array<char, 128> maker;
  Trouble trouble = Trouble::none;
  const std::string_view comm =
      read_text(files, look_at.process, thread_path(path, thread.tid, "comm"), buffer, trouble);
  const auto vcpu = vcpu_of_thread_name(comm);
  const bool is_same = vcpu && thread.role == Role::vcpu && thread.vcpu == *vcpu;
  if (!is_same) thread.schedstat.reset();
  thread.vcpu = vcpu.value_or(0);
  thread.role = vcpu ? Role::vcpu : is_shared_vcpu_thread(comm) ? Role::shared : Role::other;
  if (thread.role != Role::other || thread.tid == look_at.pid) return;
  if (comm != read_text(files, look_at.process, "comm", maker, trouble)) return;
  std::array<char, 2048> text;
  const auto stat = parse_process_stat(
      read_text(files, look_at.process, thread_path(path, thread.tid, "stat"), text, trouble));
  if (stat && look_at.now - start_time(*stat) < kNamedAfter) thread.role = Role::unnamed;
}

void VcpuThreads::count_vcpus() {
  vcpus_.clear();
  bool is_known = true;
  bool is_unnamed = false;
  for (std::uint32_t place = 0; place < threads_.size(); ++place) {
    const Thread& thread = threads_[place];
    if (thread.role == Role::vcpu) vcpus_.push_back(place);
    if (thread.role == Role::shared) is_known = false;
    if (thread.role == Role::unnamed) is_unnamed = true;
  }
  std::sort(vcpus_.begin(), vcpus_.end(), [this](std::uint32_t a, std::uint32_t b) {
    return std::pair(threads_[a].vcpu, a) < std::pair(threads_[b].vcpu, b);
  });
  const auto twice = std::adjacent_find(
      vcpus_.begin(), vcpus_.end(),
      [this](std::uint32_t a, std::uint32_t b) { return threads_[a].vcpu == threads_[b].vcpu; });
  if (twice != vcpus_.end()) is_known = false;
  if (!is_known || vcpus_.empty()) vcpus_.clear();
  look_again_ = is_unnamed;
  count_.reset();
  if (!vcpus_.empty() && !is_unnamed) count_ = static_cast<std::uint32_t>(vcpus_.size());
}

}  // namespace virtmeter
