#include "daemon/state_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace virtmeter {
namespace {

constexpr mode_t kFolderMode = 0750;

Error failure(const std::string& path, int error_number) {
  const bool refused = error_number == EACCES || error_number == EPERM || error_number == EROFS;
  return {refused ? Errc::permission : Errc::io,
          fmt::format("state_dir {}: {}", path, std::strerror(error_number)),
          refused ? "choose a folder this user may write: state_dir = \"...\" or --state-dir"
                  : "check the disk and the path of state_dir"};
}

// Makes the folders on the way too.
Status make_folders(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), kFolderMode) != 0 && errno != EEXIST) return failure(path, errno);
    if (end == std::string::npos) return Status::ok();
  }
}

// The folder itself, or the nearest one above it that is there.
std::string nearest_existing(std::string path) {
  struct stat status {};
  while (path.size() > 1 && stat(path.c_str(), &status) != 0 && errno == ENOENT) {
    const std::size_t slash = path.find_last_of('/');
    path = slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
  }
  return path;
}

}  // namespace

Status prepare_state_folder(const std::string& path) {
  Status made = make_folders(path);
  if (!made) return made;
  // A file without a name, gone when it is closed, asks the kernel what only trying tells: quotas, read-only
  // mounts.
  const int fd = open(path.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0 && errno != EOPNOTSUPP && errno != EISDIR) return failure(path, errno);
  if (fd >= 0) close(fd);
  if (fd < 0 && access(path.c_str(), W_OK | X_OK) != 0) return failure(path, errno);
  return Status::ok();
}

Status probe_state_folder(const std::string& path) {
  const std::string existing = nearest_existing(path);
  struct stat status {};
  if (stat(existing.c_str(), &status) != 0) return failure(path, errno);
  if (!S_ISDIR(status.st_mode)) return failure(path, ENOTDIR);
  if (access(existing.c_str(), W_OK | X_OK) != 0) return failure(path, errno);
  return Status::ok();
}

Result<std::uint64_t> free_bytes(const std::string& path) {
  struct statvfs usage {};
  if (statvfs(nearest_existing(path).c_str(), &usage) != 0) return failure(path, errno);
  return static_cast<std::uint64_t>(usage.f_bavail) * usage.f_frsize;
}

}  // namespace virtmeter
