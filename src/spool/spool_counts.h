// What became of lines, and how the spool fares. For each reader, at all times and across restarts and kills:
// collected = delivered + waiting + in_flight + dropped.total(). Plain data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace virtmeter {

// Why a line will never be delivered. The order is that of the cursor's bytes (docs/spool_format.md).
enum class DropReason : std::uint8_t {
  evicted,     // The spool was over max_bytes.
  expired,     // Older than max_age, or than what the server keeps.
  disk_space,  // The file system was full.
  memory,      // Memory was full and the disk did not take the line.
  corrupt,     // Damaged on disk.
  missing,     // Known to the cursor, but in no segment: what a crash or somebody took.
  rejected,    // The server can never store the line.
  refused,     // The server is at a limit of its own (series, values, columns).
  oversize,    // Longer than kLineBytesMax.
  shutdown,    // Only in memory when the process had to end.
};
inline constexpr std::size_t kDropReasons = 10;

std::string_view name_of(DropReason reason);

struct DroppedByReason {
  std::array<std::uint64_t, kDropReasons> lines{};

  std::uint64_t& operator[](DropReason reason) { return lines[static_cast<std::size_t>(reason)]; }
  std::uint64_t operator[](DropReason reason) const { return lines[static_cast<std::size_t>(reason)]; }
  std::uint64_t total() const;
  bool operator==(const DroppedByReason&) const = default;
};

// What became of the lines of a piece that is acknowledged; they add up to its line_count.
struct Settled {
  std::uint64_t delivered = 0;
  std::uint64_t rejected = 0;
  std::uint64_t expired = 0;
  std::uint64_t refused = 0;

  std::uint64_t total() const { return delivered + rejected + expired + refused; }
};

struct ReaderCounts {
  // Since the reader's cursor began, not since the process did.
  std::uint64_t collected = 0;
  std::uint64_t delivered = 0;
  std::uint64_t waiting = 0;
  std::uint64_t in_flight = 0;
  DroppedByReason dropped;
  std::uint64_t resent = 0;  // Handed out again after they had been counted; in none of the above.

  std::uint64_t backlog = 0;  // Lines of `waiting` and `in_flight` that come after live ones.
  std::uint64_t waiting_bytes =
      0;  // In memory as they are, on disk as the file system holds them (an estimate).
  std::optional<WallTime> oldest_waiting;  // On disk: when the segment of the oldest line began.

  bool conserved() const { return collected == delivered + waiting + in_flight + dropped.total(); }
};

struct SpoolStatus {
  bool on_disk = false;  // There is a folder.
  std::string folder;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;  // Of all segments.
  std::uint64_t first_line = 0;
  std::uint64_t end_line = 0;  // The number that the next line gets.

  std::optional<WallTime> failing_since;  // Absent: the disk takes what comes.
  std::optional<Error> last_error;        // The latest, even if it has passed.
  std::uint64_t disk_errors = 0;
  std::optional<WallTime> last_sync;

  std::uint64_t memory_lines = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t unwritten_lines = 0;  // In memory only: what a kill would take now.

  std::uint64_t appended_lines = 0;    // By this process.
  std::uint64_t segments_evicted = 0;  // By this process, with lines still wanted in them or not.
  std::uint64_t torn_bytes = 0;        // At the end of the last segment when the process started.
  std::uint64_t files_set_aside = 0;   // Into quarantine/, by this process.
  std::uint64_t files_ignored = 0;     // Foreign ones that stayed where they are.
};

}  // namespace virtmeter
