#include "config/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
namespace virtmeter {
namespace {

// An open file descriptor, closed at the end of the scope.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int fd() const { return fd_; }

 private:
  int fd_;
};

Errc errc_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Errc::not_found;
    case EACCES:
    case EPERM:
      return Errc::permission;
    default:
      return Errc::io;
  }
}

std::string fix_of(Errc code) {
  switch (code) {
    case Errc::not_found:
      return "name a file that exists";
    case Errc::permission:
      return "let this user read it (chown or chmod)";
    default:
      return "";
  }
}

Error system_error(std::string_view what, int error_number) {
  const Errc code = errc_of(error_number);
  return {code, std::string(what) + ": " + errno_clause(error_number), fix_of(code)};
}

}  // namespace

std::string errno_clause(int error_number) {
  std::string text = std::generic_category().message(error_number);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + ('a' - 'A'));
  return text;
}

Result<SmallFile> read_small_file(const std::string& path, std::size_t limit_bytes) {
  const OpenFile file(path);
  if (file.fd() < 0) return system_error("cannot be opened", errno);
  struct stat status {};
  if (::fstat(file.fd(), &status) != 0) return system_error("cannot be examined", errno);
  if (S_ISDIR(status.st_mode)) return Error{Errc::invalid, "is a folder", "name a file in it"};

  // Read to the limit rather than trusted to be as long as it says: it may be a pipe, a device, or growing.
  SmallFile out{.text = {}, .mode = status.st_mode};
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t got = ::read(file.fd(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("cannot be read", errno);
    if (got == 0) return out;
    out.text.append(buffer.data(), static_cast<std::size_t>(got));
    if (out.text.size() > limit_bytes) {
      return Error{Errc::limit, "is larger than " + std::to_string(limit_bytes) + " bytes",
                   "name the right file, or make it smaller"};
    }
  }
}

}  // namespace virtmeter
