// SpoolCore: what the producer, the readers and the writer of a spool share, behind one mutex that nobody
// holds while the disk is asked for anything: the lines in memory, the index of segments, the readers'
// states. Thread-safe as far as the annotations say.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "spool/drain_rate.h"
#include "spool/memory_ring.h"
#include "spool/reader_state.h"
#include "spool/segment.h"
#include "spool/spool_counts.h"
#include "spool/spool_options.h"

namespace virtmeter {

struct Recovered;

struct SpoolCore {
  SpoolCore(SpoolOptions options_of_spool, const std::vector<std::string>& reader_names,
            FileSystem& file_system, const Clock& the_clock);

  bool has_folder() const { return !options.folder.empty(); }

  // Wakes nobody.
  void append(std::string_view lines, std::uint64_t line_count, WallTime time) EXCLUDES(mutex);
  void wake() EXCLUDES(mutex);
  // Takes over what recover_spool() found. False: its lines have numbers that were given again meanwhile.
  bool adopt(const Recovered& found) EXCLUDES(mutex);
  // Drops what is in memory only, and whatever is appended later, as shutdown. Returns the lines lost, of the
  // reader that loses most.
  std::uint64_t end() EXCLUDES(mutex);
  SpoolStatus get_status() EXCLUDES(mutex);

  // Whether the segments hold the record.
  bool on_disk(const MemoryRecord& record) const REQUIRES(mutex);
  // Lets go of records that nobody needs in memory any more, and drops what is over the bounds.
  void trim() REQUIRES(mutex);
  void drop_for_all(std::uint64_t begin, std::uint64_t end, DropReason reason) REQUIRES(mutex);
  bool wanted(std::uint64_t begin, std::uint64_t end) const REQUIRES(mutex);
  // Whether no replay can ask for what all readers were done with at `done_since`: a reader that has lines
  // pending and acknowledges none may be about to learn that its database was lost.
  bool replay_is_over(BootTime done_since) const REQUIRES(mutex);
  // The segment that answers for the line; null when none does.
  Segment* segment_of(std::uint64_t line) REQUIRES(mutex);
  std::uint64_t drain_lines_per_sec() const REQUIRES(mutex);

  const SpoolOptions options;
  const std::uint64_t first_line_if_unread;
  FileSystem& files;
  const Clock& clock;

  mutable Mutex mutex;
  Condition writer_wakes;
  Condition reader_wakes;

  MemoryRing ring GUARDED_BY(mutex);
  // Lines of the ring below are in a segment; below synced_end, safely.
  std::uint64_t written_end GUARDED_BY(mutex) = 0;
  std::uint64_t synced_end GUARDED_BY(mutex) = 0;
  std::vector<Segment> segments GUARDED_BY(mutex);  // Oldest first; the last one may be active.
  std::vector<std::unique_ptr<ReaderState>> readers GUARDED_BY(mutex);
  std::vector<bool> closed GUARDED_BY(mutex);  // By reader.
  LineRate live_rate GUARDED_BY(mutex);
  SpoolStatus status GUARDED_BY(mutex);
  bool disk_is_full GUARDED_BY(mutex) = false;
  bool stop_requested GUARDED_BY(mutex) = false;
  bool ended GUARDED_BY(mutex) = false;

 private:
  void append_record(std::string_view lines, std::uint64_t line_count, WallTime time) REQUIRES(mutex);
  bool front_is_free() REQUIRES(mutex);
  bool over_bounds() const REQUIRES(mutex);
  void drop_overflow() REQUIRES(mutex);
};

}  // namespace virtmeter
