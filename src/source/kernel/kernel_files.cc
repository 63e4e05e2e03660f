#include "source/kernel/kernel_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace virtmeter {
namespace {

// Sockets, segments of the spool, the log, connections of the status pages: far fewer than these are open.
constexpr std::size_t kFilesOfOthers = 256;
// More are not kept, whatever the administrator allows: 10,000 VMs with 6 files each.
constexpr std::size_t kFilesMax = 65'536;

Trouble trouble_of(int error) {
  switch (error) {
    case ENOENT:
    case ESRCH:
    case ENOTDIR:
    case ENODEV:  // A cgroup that was removed while its file was open.
      return Trouble::gone;
    case EACCES:
    case EPERM:
      return Trouble::permission;
    case EMFILE:
    case ENFILE:
      return Trouble::file_limit;
    default:
      return Trouble::other;
  }
}

KernelFiles::Opened open_at(KernelFiles::Handle folder, const char* path, int flags) {
  const int at = folder == KernelFiles::kNone ? AT_FDCWD : folder;
  const int fd = ::openat(at, path, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return {KernelFiles::kNone, trouble_of(errno)};
  return {fd, Trouble::none};
}

void add_number(const char* name, std::vector<std::uint32_t>& into) {
  std::uint32_t number = 0;
  const char* end = name + std::strlen(name);
  const auto [stop, error] = std::from_chars(name, end, number);
  if (error == std::errc() && stop == end && number != 0) into.push_back(number);
}

}  // namespace

KernelFiles::Opened SystemKernelFiles::open(Handle folder, const char* path) {
  return open_at(folder, path, 0);
}

KernelFiles::Opened SystemKernelFiles::open_folder(Handle folder, const char* path) {
  return open_at(folder, path, O_DIRECTORY);
}

void SystemKernelFiles::close(Handle handle) { ::close(handle); }

KernelFiles::Read SystemKernelFiles::read(Handle file, std::span<char> into) {
  while (true) {
    const ssize_t size = ::pread(file, into.data(), into.size(), 0);
    if (size >= 0) return {static_cast<std::size_t>(size), Trouble::none};
    if (errno != EINTR) return {0, trouble_of(errno)};
  }
}

Trouble SystemKernelFiles::list_numbers(Handle folder, std::vector<std::uint32_t>& into) {
  into.clear();
  if (::lseek(folder, 0, SEEK_SET) < 0) return trouble_of(errno);
  alignas(dirent64) std::array<char, 32 * 1024> buffer;
  while (true) {
    const ssize_t size = ::getdents64(folder, buffer.data(), buffer.size());
    if (size < 0) return trouble_of(errno);
    if (size == 0) return Trouble::none;
    for (ssize_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      add_number(entry->d_name, into);
      at += entry->d_reclen;
    }
  }
}

std::optional<std::uint64_t> SystemKernelFiles::inode(Handle folder, const char* path) {
  struct stat status {};
  if (::fstatat(folder == kNone ? AT_FDCWD : folder, path, &status, 0) != 0) return std::nullopt;
  return status.st_ino;
}

std::size_t raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  // A limit that may not be raised is lived with.
  const bool is_raised = ::setrlimit(RLIMIT_NOFILE, &raised) == 0;
  const rlim_t allowed = is_raised ? raised.rlim_cur : limit.rlim_cur;
  if (allowed <= 2 * kFilesOfOthers) return static_cast<std::size_t>(allowed / 4);
  return std::min<std::size_t>(allowed - kFilesOfOthers, kFilesMax);
}

KernelFile::KernelFile(const KernelAccess& access, KernelFiles::Handle handle)
    : access_(&access), handle_(handle) {
  if (handle != KernelFiles::kNone) access.budget.took();
}

KernelFile& KernelFile::operator=(KernelFile&& other) noexcept {
  if (this == &other) return *this;
  reset();
  access_ = other.access_;
  handle_ = std::exchange(other.handle_, KernelFiles::kNone);
  return *this;
}

void KernelFile::reset() {
  if (handle_ == KernelFiles::kNone) return;
  access_->files.close(std::exchange(handle_, KernelFiles::kNone));
  access_->budget.gave_back();
}

std::string_view read_text(KernelFiles& files, KernelFiles::Handle folder, const char* path,
                           std::span<char> into, Trouble& trouble) {
  const auto opened = files.open(folder, path);
  trouble = opened.trouble;
  if (opened.handle == KernelFiles::kNone) return {};
  const auto read = files.read(opened.handle, into);
  files.close(opened.handle);
  trouble = read.trouble;
  return {into.data(), read.size};
}

std::string_view read_kept(const KernelAccess& access, KernelFile& kept, KernelFiles::Handle folder,
                           const char* path, std::span<char> into, Trouble& trouble) {
  if (!kept && access.budget.file_fits()) {
    const auto opened = access.files.open(folder, path);
    if (opened.trouble != Trouble::none && opened.trouble != Trouble::file_limit) {
      trouble = opened.trouble;
      return {};
    }
    kept = KernelFile(access, opened.handle);
  }
  if (!kept) return read_text(access.files, folder, path, into, trouble);
  const auto read = access.files.read(kept.handle(), into);
  trouble = read.trouble;
  return {into.data(), read.size};
}

}  // namespace virtmeter
