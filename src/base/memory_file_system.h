// MemoryFileSystem: files in memory that fail when told to, for tests and fuzzers. It knows what was synced,
// so that a power cut can take the rest. Every call that touches the "disk" is one operation and is counted;
// a fault is an operation's number. Not thread-safe but for its faults being set between calls.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace virtmeter {

class MemoryFileSystem final : public FileSystem {
 public:
  enum class Operation : std::uint8_t {
    open,
    read,
    write,
    sync,
    reserve,
    list,
    change_name,
    sync_folder,
    space,
    lock
  };

  struct Fault {
    std::uint64_t first = 0;  // The number of the operation that fails, from 0.
    std::uint64_t count = 1;  // How many from there on; UINT64_MAX: for ever.
    Errc code = Errc::io;
    // Only operations of this kind are numbered for it; absent: all.
    std::optional<Operation> only = std::nullopt;
  };

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status make_folder(const std::string& path) override;
  Result<std::vector<FolderEntry>> list(const std::string& folder, std::size_t limit) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_folder(const std::string& path) override;
  Result<DiskSpace> space(const std::string& path) override;

  // A write that fails leaves the first half of its bytes behind.
  void fail(Fault fault);
  void heal() { fault_.reset(); }
  std::uint64_t operations() const { return operations_; }

  // Nothing changes any more, whatever is called: the process is dead, or the disk hangs for good.
  void freeze() { frozen_ = true; }
  // Likewise, from operation number `operation` on.
  void freeze_at(std::uint64_t operation) { freeze_at_ = operation; }
  bool frozen() const { return frozen_; }
  void thaw() {
    frozen_ = false;
    freeze_at_ = UINT64_MAX;
  }

  // Takes what was not synced: bytes of files, and names of folders not synced.
  void cut_power();

  // How much all files together may hold.
  void set_capacity(std::uint64_t bytes) { capacity_bytes_ = bytes; }

  // The bytes of a file, for tests to look at and to damage; null when there is none.
  std::string* bytes_of(const std::string& path);
  void put(const std::string& path, std::string bytes);
  std::vector<std::string> paths() const;

 private:
  friend class MemoryFile;
  struct Node {
    std::string bytes;
    std::string synced;
    bool locked = false;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;

  // Counts one operation; an error when it is to fail.
  Status begin(Operation operation, const std::string& path);
  std::uint64_t used_bytes() const;

  Names names_;
  Names synced_names_;
  std::map<std::string, bool> folders_;
  std::optional<Fault> fault_;
  std::uint64_t fault_seen_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t capacity_bytes_ = std::uint64_t{1} << 40;
  std::uint64_t freeze_at_ = UINT64_MAX;
  bool frozen_ = false;
};

}  // namespace virtmeter
