// FileSystem and File: the few file operations that durable data needs, behind an interface so that tests can
// make each of them fail (base/memory_file_system.h). No space (or quota) is Errc::limit, so that a caller
// can tell a full disk from a broken one. A FileSystem is thread-safe; a File belongs to one thread at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace virtmeter {

class File {
 public:
  virtual ~File() = default;

  // Reads until `into` is full or the file ends; returns how many bytes that are.
  virtual Result<std::size_t> read_at(std::span<char> into, std::uint64_t offset) = 0;
  // Writes all of `bytes`, or fails having written any part of them.
  virtual Status write_at(std::string_view bytes, std::uint64_t offset) = 0;
  // The data, and the size needed to read it back, are on the disk (fdatasync).
  virtual Status sync() = 0;
  // Reserves room without changing the size. Works, too, where the file system cannot do that.
  virtual Status reserve(std::uint64_t bytes) = 0;
  // Gives back what was reserved beyond the size; a file system may otherwise keep it for ever.
  virtual Status release_reserved() = 0;
  virtual Result<std::uint64_t> size() = 0;
  // Locks the file against other openers' lock() while it is open; Errc::unavailable when one holds it.
  virtual Status lock() = 0;
};

enum class OpenMode : std::uint8_t {
  read,
  create_new,      // Fails when it exists.
  read_or_create,  // For reading and writing; made when missing.
};

struct FolderEntry {
  std::string name;
  std::uint64_t size = 0;
  bool regular = false;  // A file, not a folder, link, pipe or device.
};

struct DiskSpace {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // For us, not for root.
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // New files get mode 0640, new folders 0750. Does not follow a link at the end of the path.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // Done, too, when the folder exists; its parent must.
  virtual Status make_folder(const std::string& path) = 0;
  // In no order; at most `limit`.
  virtual Result<std::vector<FolderEntry>> list(const std::string& folder, std::size_t limit) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;
  // Names made, renamed and removed in the folder survive a power cut.
  virtual Status sync_folder(const std::string& path) = 0;
  virtual Result<DiskSpace> space(const std::string& path) = 0;
};

// The machine's. Thread-safe; there is only one and it has no state.
FileSystem& system_files();

}  // namespace virtmeter
