// How files of /proc and /sys are read, behind an interface so that tests can give recorded and hostile texts
// and make each call fail. Paths are relative to an open folder. What was opened in /proc/<pid> stays that
// process's: after its end reads fail, whoever gets the number next. Nothing here allocates, but for lists
// that grow. Collector thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace virtmeter {

// Why something could not be read, as far as that makes a difference.
enum class Trouble : std::uint8_t {
  none,
  gone,        // The process, file or folder does not exist (any more).
  permission,  // The kernel does not let us.
  file_limit,  // Too many open files.
  other,
};

class KernelFiles {
 public:
  using Handle = int;
  static constexpr Handle kNone = -1;

  struct Opened {
    Handle handle = kNone;
    Trouble trouble = Trouble::none;
  };
  struct Read {
    std::size_t size = 0;
    Trouble trouble = Trouble::none;
  };

  virtual ~KernelFiles() = default;

  // `folder` is an open folder, or kNone when `path` is absolute. Links are followed: /proc and /sys are the
  // kernel's.
  virtual Opened open(Handle folder, const char* path) = 0;
  virtual Opened open_folder(Handle folder, const char* path) = 0;
  virtual void close(Handle handle) = 0;
  // Once, from the start of the file; what does not fit is left out.
  virtual Read read(Handle file, std::span<char> into) = 0;
  // The entries of an open folder that are numbers, in no order.
  virtual Trouble list_numbers(Handle folder, std::vector<std::uint32_t>& into) = 0;
  virtual std::optional<std::uint64_t> inode(Handle folder, const char* path) = 0;
};

// The machine's.
class SystemKernelFiles final : public KernelFiles {
 public:
  Opened open(Handle folder, const char* path) override;
  Opened open_folder(Handle folder, const char* path) override;
  void close(Handle handle) override;
  Read read(Handle file, std::span<char> into) override;
  Trouble list_numbers(Handle folder, std::vector<std::uint32_t>& into) override;
  std::optional<std::uint64_t> inode(Handle folder, const char* path) override;
};

// How many files may be kept open. Folders of processes may take all of it, files three quarters, so that
// many vCPUs cost their VM a few opens, but never another VM its place.
class FileBudget {
 public:
  explicit FileBudget(std::size_t limit) : limit_(limit) {}

  bool folder_fits() const { return used_ < limit_; }
  bool file_fits() const { return used_ < limit_ / 4 * 3; }
  void took() { ++used_; }
  void gave_back() { --used_; }
  std::size_t used() const { return used_; }

 private:
  std::size_t limit_;
  std::size_t used_ = 0;
};

// Raises the process's soft limit of open files to its hard one, and returns how many of them the kernel
// reader may keep: all but what the rest of the program needs.
std::size_t raise_file_limit();

// Where the kernel is read from and what that may cost. Both outlive all KernelFile.
struct KernelAccess {
  KernelFiles& files;
  FileBudget& budget;
};

// An open file or folder, closed with this object. Empty after a move.
class KernelFile {
 public:
  KernelFile() = default;
  KernelFile(const KernelAccess& access, KernelFiles::Handle handle);
  KernelFile(KernelFile&& other) noexcept
      : access_(other.access_), handle_(std::exchange(other.handle_, KernelFiles::kNone)) {}
  KernelFile& operator=(KernelFile&& other) noexcept;
  ~KernelFile() { reset(); }

  explicit operator bool() const { return handle_ != KernelFiles::kNone; }
  KernelFiles::Handle handle() const { return handle_; }
  void reset();

 private:
  const KernelAccess* access_ = nullptr;
  KernelFiles::Handle handle_ = KernelFiles::kNone;
};

// Reads `path` in `folder` into `into` and returns the text in it; empty with the reason in `trouble`.
std::string_view read_text(KernelFiles& files, KernelFiles::Handle folder, const char* path,
                           std::span<char> into, Trouble& trouble);

// The same through `kept`, which is opened and kept when it is empty and the budget allows.
std::string_view read_kept(const KernelAccess& access, KernelFile& kept, KernelFiles::Handle folder,
                           const char* path, std::span<char> into, Trouble& trouble);

}  // namespace virtmeter
