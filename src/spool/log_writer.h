// LogWriter: puts the lines that are in memory only into segments. After any error of a write or a sync it
// gives the segment up for good, keeps of it what was safe, and writes the rest again into a new one with the
// next write(). The writer's thread only; takes the core's mutex, but never around a call to the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "spool/record_codec.h"
#include "spool/segment_file.h"
#include "spool/spool_core.h"

namespace virtmeter {

class LogWriter {
 public:
  explicit LogWriter(SpoolCore& core) : core_(core) {}

  void set_next_ordinal(std::uint64_t ordinal) { next_ordinal_ = ordinal; }

  // Writes and syncs all there is, as options say.
  Status write() EXCLUDES(core_.mutex);
  // Ends the segment at hand in order; on an error it is given up, as by write().
  Status close() EXCLUDES(core_.mutex);

  // Files that were given up with nothing in them and could not be removed; takes them over.
  std::vector<std::string> take_leftovers() { return std::exchange(leftovers_, {}); }

 private:
  // Encodes the next lines into buffer_; false: there are none.
  bool gather() EXCLUDES(core_.mutex);
  Status open_segment() EXCLUDES(core_.mutex);
  Status write_gathered() EXCLUDES(core_.mutex);
  Status sync(SpoolSync mode) EXCLUDES(core_.mutex);
  void give_up_segment() EXCLUDES(core_.mutex);
  bool is_old() const;

  SpoolCore& core_;
  RecordEncoder encoder_;
  std::unique_ptr<SegmentFile> active_;
  std::uint64_t next_ordinal_ = 1;
  std::vector<std::string> leftovers_;

  std::string buffer_;  // Records gathered, of these lines.
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  Seal totals_;
  std::vector<RecordEncoder::Lines> lines_;
  BootTime synced_at_;
};

}  // namespace virtmeter
