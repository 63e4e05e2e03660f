// inspect_spool: what a spool's folder holds, without a lock and without changing anything, for `virtmeter
// spool status|verify`. Every record is read and checked. A running virtmeter may write meanwhile: the end of
// the newest segment may then look torn. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "spool/spool_counts.h"

namespace virtmeter {

struct SpoolDamage {
  std::string file;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::string what;
};

struct SegmentReport {
  std::string file;
  std::uint64_t bytes = 0;
  std::uint64_t first_line = 0;
  std::uint64_t end_line = 0;
  std::uint64_t lines = 0;  // Readable ones.
  std::uint64_t records = 0;
  std::uint64_t raw_bytes = 0;  // Of the readable lines, as they are sent.
  std::optional<WallTime> time_min;
  std::optional<WallTime> time_max;
  bool sealed = false;
  std::uint64_t torn_bytes = 0;  // Behind the last record: what a crash left unfinished.
};

struct CursorReport {
  std::string file;
  std::string reader;
  bool valid = false;
  ReaderCounts counts;  // As saved; what was in flight waits.
  std::uint64_t end_line = 0;
  std::uint64_t pending_ranges = 0;
};

struct SpoolReport {
  std::string folder;
  std::vector<SegmentReport> segments;
  std::vector<CursorReport> cursors;
  std::vector<SpoolDamage> damage;  // At most kDamageMax; damage_count says how many there are.
  std::uint64_t damage_count = 0;
  std::vector<std::string> foreign_files;
  std::uint64_t quarantined_files = 0;

  static constexpr std::size_t kDamageMax = 100;
};

Result<SpoolReport> inspect_spool(const std::string& folder, FileSystem& files);

}  // namespace virtmeter
