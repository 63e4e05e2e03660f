#include "sink/file_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace virtmeter {
namespace {

constexpr mode_t kMode = 0640;
// O_NONBLOCK: the open of a pipe that nobody reads must fail, not wait.
constexpr int kOpenFlags = O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

std::string words_of(int error_number) {
  std::string words = std::strerror(error_number);
  if (!words.empty() && words[0] >= 'A' && words[0] <= 'Z')
    words[0] = static_cast<char>(words[0] - 'A' + 'a');
  return words;
}

// The kind says whether it can pass by itself.
Errc kind_of(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::permission;
    case ENOENT:
    case ENOTDIR:
      return Errc::not_found;
    case EISDIR:
    case ELOOP:
    case ENXIO:
    case ENAMETOOLONG:
      return Errc::invalid;
    default:
      return Errc::io;
  }
}

std::string_view fix_for(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
      return "let this user write the file and its folder (with systemd: ReadWritePaths=)";
    case ENOENT:
    case ENOTDIR:
      return "create the folder, or name a file in one that exists";
    case ELOOP:
      return "name the file itself: a symbolic link is not followed";
    case EISDIR:
    case ENXIO:
    case ENAMETOOLONG:
      return "name an ordinary file";
    case ENOSPC:
    case EDQUOT:
      return "free space on the disk; virtmeter keeps the lines and tries again";
    default:
      return "look into the kernel's log: journalctl -k";
  }
}

bool is_ordinary(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// The offset behind the last '\n' of the first `size` bytes, reading backwards; nothing when a read fails.
std::optional<std::uint64_t> end_of_last_line(int fd, std::uint64_t size) {
  std::array<char, 65536> chunk{};
  while (size > 0) {
    const std::uint64_t begin = size - std::min<std::uint64_t>(size, chunk.size());
    const ssize_t got =
        pread(fd, chunk.data(), static_cast<std::size_t>(size - begin), static_cast<off_t>(begin));
    if (got < 0 || static_cast<std::uint64_t>(got) != size - begin) return std::nullopt;
    const std::size_t newline = std::string_view(chunk.data(), static_cast<std::size_t>(got)).rfind('\n');
    if (newline != std::string_view::npos) return begin + newline + 1;
    size = begin;
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<Sink>> FileSink::open(FileOptions options) {
  if (options.path.empty()) return Error{Errc::invalid, "file_path: is empty", "name the file to write to"};
  if (options.max_bytes < kMaxBytesMin) {
    return Error{Errc::invalid,
                 fmt::format("file_max_bytes: {} is less than {}", options.max_bytes, kMaxBytesMin),
                 "allow at least a few days of lines: 10 VMs with 5 devices each write 260 MB a day"};
  }
  return std::unique_ptr<Sink>(std::make_unique<FileSink>(std::move(options)));
}

std::string FileSink::target() const { return "file " + printable(options_.path); }

Error FileSink::failure(std::string_view operation, int error_number) const {
  return {kind_of(error_number),
          fmt::format("{} {}: {}", operation, printable(options_.path), words_of(error_number)),
          std::string(fix_for(error_number))};
}

SendResult FileSink::send(const Batch& batch) {
  SendResult result;
  if (batch.bytes.size() > half()) {
    result.verdict = Verdict::halve;
    result.cause = "longer than the file may be";
    result.error = {Errc::limit, fmt::format("{} may hold {} bytes", target(), half()),
                    "raise file_max_bytes"};
    return result;
  }
  Status status = ensure_open();
  if (status && size_bytes_ + batch.bytes.size() > half()) status = rotate();
  if (status) status = append(batch.bytes);
  result.cost = {1, batch.bytes.size(), batch.bytes.size()};
  if (status) return result;

  result.verdict = status.error().code == Errc::io ? Verdict::retry : Verdict::stop_and_say;
  result.error = std::move(status).error();
  return result;
}

// Creates nothing: when root checks, the daemon's own user must still be able to create the file.
Status FileSink::check() {
  const int fd = ::open(options_.path.c_str(), O_RDWR | kOpenFlags);
  if (fd >= 0) {
    const bool ordinary = is_ordinary(fd);
    ::close(fd);
    return ordinary ? Status::ok() : failure("open", ENXIO);
  }
  if (errno != ENOENT) return failure("open", errno);
  const std::size_t slash = options_.path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : options_.path.substr(0, slash + 1);
  if (access(folder.c_str(), W_OK | X_OK) != 0) return failure("create", errno);
  return Status::ok();
}

Status FileSink::ensure_open() {
  if (fd_ >= 0 && was_replaced()) close();
  if (fd_ >= 0) return cut_torn_line();
  return open_file();
}

// Whether somebody has moved or deleted the file, as logrotate does: the next lines belong into a new one.
bool FileSink::was_replaced() const {
  struct stat by_path {};
  struct stat ours {};
  if (lstat(options_.path.c_str(), &by_path) != 0 || fstat(fd_, &ours) != 0) return true;
  return by_path.st_dev != ours.st_dev || by_path.st_ino != ours.st_ino;
}

Status FileSink::open_file() {
  fd_ = ::open(options_.path.c_str(), O_RDWR | O_CREAT | kOpenFlags, kMode);
  if (fd_ < 0) return failure("open", errno);
  if (!is_ordinary(fd_)) {
    close();
    return failure("open", ENXIO);
  }
  size_bytes_ = 0;
  torn_ = false;
  return cut_torn_line();
}

// Brings the file and size_bytes_ together. They differ after a failed write, after a process was killed in
// one, and when somebody else has emptied or extended the file.
Status FileSink::cut_torn_line() {
  struct stat status {};
  if (fstat(fd_, &status) != 0) return failure("stat", errno);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size == size_bytes_) return Status::ok();
  if (!torn_ || size < size_bytes_) {
    const auto end = end_of_last_line(fd_, size);
    if (!end) return failure("read", errno);
    size_bytes_ = *end;
  }
  if (size_bytes_ != size && ftruncate(fd_, static_cast<off_t>(size_bytes_)) != 0)
    return failure("truncate", errno);
  torn_ = false;
  return Status::ok();
}

Status FileSink::rotate() {
  const std::string older = options_.path + ".1";
  if (std::rename(options_.path.c_str(), older.c_str()) != 0) return failure("rotate", errno);
  close();
  return open_file();
}

Status FileSink::append(std::string_view bytes) {
  std::string_view left = bytes;
  while (!left.empty()) {
    const ssize_t written = ::write(fd_, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const Error error = failure("write", written < 0 ? errno : ENOSPC);
      // Whole lines may have been written already: they go, too, since the whole batch comes again. If even
      // this fails, the next send() tries again before it writes.
      torn_ = ftruncate(fd_, static_cast<off_t>(size_bytes_)) != 0;
      return error;
    }
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  size_bytes_ += bytes.size();
  return Status::ok();
}

void FileSink::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace virtmeter
