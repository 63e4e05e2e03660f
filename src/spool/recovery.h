// recover_spool: what an earlier process left in the folder, whatever its state. Segments are known by their
// headers and seals; only the last one is read through. What is damaged beyond reading or not ours is set
// aside into quarantine/, within bounds, and nothing of it is a reason to fail: only the disk is. The
// folder's lock must be held. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "spool/format.h"
#include "spool/segment.h"

namespace virtmeter {

inline constexpr std::string_view kSpoolLockName = "lock";
inline constexpr std::string_view kQuarantineName = "quarantine";
inline constexpr std::size_t kSpoolFilesMax = 20'000;

struct Recovered {
  std::vector<Segment> segments;
  // By reader name, as given; absent: no cursor, or none that can be read.
  std::vector<std::optional<CursorSlot>> cursors;
  std::uint64_t end_line = 0;  // No line has this number or one above.
  std::uint64_t next_ordinal = 1;
  std::uint64_t torn_bytes = 0;
  std::uint64_t files_set_aside = 0;
  std::uint64_t files_ignored = 0;
  std::vector<std::string> words;  // For the log.
};

// What to do with a file that the disk does not give: it may be the moment, or the file.
enum class Unreadable : std::uint8_t { fail, set_aside };

Result<Recovered> recover_spool(const std::string& folder, const std::vector<std::string>& reader_names,
                                FileSystem& files, Unreadable unreadable = Unreadable::fail);

// Reads both slots of a cursor; the newer good one. `newer` and `damaged` as HeaderState has them.
struct CursorRead {
  HeaderState state = HeaderState::damaged;
  CursorSlot slot;
};
Result<CursorRead> read_cursor(FileSystem& files, const std::string& path);

// The header, the seal and, when asked for, every record of a segment file.
enum class SegmentDepth : std::uint8_t { header_and_seal, every_record };
struct SegmentRead {
  HeaderState state = HeaderState::damaged;
  bool holds_records = false;  // At least one good one; known with every_record only.
  Segment segment;             // Its end is its begin when that is not known.
  std::uint64_t torn_bytes = 0;
};
Result<SegmentRead> read_segment(FileSystem& files, const std::string& folder, const FolderEntry& entry,
                                 SegmentDepth depth);

}  // namespace virtmeter
