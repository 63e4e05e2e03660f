#include "base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace virtmeter {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kFolderMode = 0750;

Errc code_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Errc::limit;
    case ENOENT:
    case ENOTDIR:
      return Errc::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::permission;
    case EWOULDBLOCK:
    case EMFILE:
    case ENFILE:
      return Errc::unavailable;
    default:
      return Errc::io;
  }
}

Error failed(std::string_view what, const std::string& path, int error_number) {
  return {code_of(error_number),
          std::string(what) + " " + path + ": " + std::generic_category().message(error_number), ""};
}

class SystemFile final : public File {
 public:
  SystemFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~SystemFile() override { ::close(fd_); }
  SystemFile(const SystemFile&) = delete;
  SystemFile& operator=(const SystemFile&) = delete;

  Result<std::size_t> read_at(std::span<char> into, std::uint64_t offset) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got =
          ::pread(fd_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failed("read", path_, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Status write_at(std::string_view bytes, std::uint64_t offset) override {
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return failed("write", path_, errno);
      // POSIX permits it, and so this loop must end.
      if (put == 0) return failed("write", path_, EIO);
      bytes.remove_prefix(static_cast<std::size_t>(put));
      offset += static_cast<std::uint64_t>(put);
    }
    return Status::ok();
  }

  Status sync() override {
    // Not repeated, not even after EINTR: a failed sync may have dropped the pages it was about.
    if (::fdatasync(fd_) != 0) return failed("sync", path_, errno);
    return Status::ok();
  }

  Status reserve(std::uint64_t bytes) override {
    int result = 0;
    do {
      result = ::fallocate(fd_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes));
    } while (result != 0 && errno == EINTR);
    if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return Status::ok();
    return failed("reserve room for", path_, errno);
  }

  Status release_reserved() override {
    const auto bytes = size();
    if (!bytes) return bytes.error();
    // To the size it has: that frees what lies behind.
    if (::ftruncate(fd_, static_cast<off_t>(bytes.value())) != 0) return failed("truncate", path_, errno);
    return Status::ok();
  }

  Result<std::uint64_t> size() override {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) return failed("stat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Status lock() override {
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) return failed("lock", path_, errno);
    return Status::ok();
  }

 private:
  const int fd_;
  const std::string path_;
};

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::create_new:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::read_or_create:
      return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

class Folder {
 public:
  explicit Folder(const std::string& path) : dir_(::opendir(path.c_str())) {}
  ~Folder() {
    if (dir_ != nullptr) ::closedir(dir_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  bool is_open() const { return dir_ != nullptr; }
  int fd() const { return ::dirfd(dir_); }
  // Null at the end, and then errno is not 0 when that came too early.
  const dirent* next() {
    errno = 0;
    return ::readdir(dir_);
  }

 private:
  DIR* const dir_;
};

class SystemFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    // O_NONBLOCK: a pipe that somebody put there must not hold us.
    const int fd = ::open(path.c_str(), flags_of(mode) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kFileMode);
    if (fd < 0) return failed("open", path, errno);
    return std::unique_ptr<File>(std::make_unique<SystemFile>(fd, path));
  }

  Status make_folder(const std::string& path) override {
    if (::mkdir(path.c_str(), kFolderMode) == 0) return Status::ok();
    const int error_number = errno;
    struct stat status {};
    if (error_number == EEXIST && ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
      return Status::ok();
    return failed("make folder", path, error_number);
  }

  Result<std::vector<FolderEntry>> list(const std::string& path, std::size_t limit) override {
    Folder folder(path);
    if (!folder.is_open()) return failed("list", path, errno);
    std::vector<FolderEntry> entries;
    while (entries.size() < limit) {
      const dirent* entry = folder.next();
      if (entry == nullptr) {
        if (errno != 0) return failed("list", path, errno);
        break;
      }
      const std::string name = static_cast<const char*>(entry->d_name);
      if (name == "." || name == "..") continue;
      struct stat status {};
      // Gone meanwhile: not there.
      if (::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      entries.push_back({name, static_cast<std::uint64_t>(status.st_size), S_ISREG(status.st_mode)});
    }
    return entries;
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", from, errno);
    return Status::ok();
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return failed("remove", path, errno);
    return Status::ok();
  }

  Status sync_folder(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed("open", path, errno);
    const int result = ::fsync(fd);
    const int error_number = errno;
    ::close(fd);
    if (result != 0) return failed("sync", path, error_number);
    return Status::ok();
  }

  Result<DiskSpace> space(const std::string& path) override {
    struct statvfs status {};
    if (::statvfs(path.c_str(), &status) != 0) return failed("ask the file system of", path, errno);
    return DiskSpace{std::uint64_t{status.f_blocks} * status.f_frsize,
                     std::uint64_t{status.f_bavail} * status.f_frsize};
  }
};

}  // namespace

FileSystem& system_files() {
  static SystemFileSystem files;
  return files;
}

}  // namespace virtmeter
