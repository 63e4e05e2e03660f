#include "spool/spool_core.h"

#include <algorithm>

#include "base/check.h"
#include "spool/recovery.h"

namespace virtmeter {
namespace {

constexpr std::uint64_t kDrainLinesPerSecMin = 2'000;
constexpr std::uint64_t kDrainTimesLiveRate = 20;

// Bounds that fit each other: a batch can only fill up if there is room for it, and no segment is so large
// that evicting one would empty the spool.
SpoolOptions consistent(SpoolOptions options) {
  options.memory_lines = std::max<std::uint64_t>(options.memory_lines, 1);
  options.memory_bytes = std::max<std::size_t>(options.memory_bytes, SpoolOptions::kLineBytesMax);
  // A record's header counts in 32 bits.
  options.batch_lines = std::clamp<std::uint64_t>(options.batch_lines, 1, 1'000'000);
  if (options.folder.empty()) options.batch_lines = std::min(options.batch_lines, options.memory_lines);
  options.segment_bytes = std::clamp<std::uint64_t>(options.segment_bytes, 4096,
                                                    std::max<std::uint64_t>(options.max_bytes / 8, 4096));
  options.segment_bytes = std::min(options.segment_bytes, kSegmentFileBytesMax / 2);
  return options;
}

// The number of the first line when the disk could not say where numbers go on: above all that are there,
// unless the clock went back.
std::uint64_t first_line_unread(const SpoolOptions& options, const Clock& clock) {
  if (options.folder.empty()) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(clock.wall_now().unix_ns / 1000, 0));
}

}  // namespace

SpoolCore::SpoolCore(SpoolOptions options_of_spool, const std::vector<std::string>& reader_names,
                     FileSystem& file_system, const Clock& the_clock)
    : options(consistent(std::move(options_of_spool))),
      first_line_if_unread(first_line_unread(options, the_clock)),
      files(file_system),
      clock(the_clock),
      ring(first_line_if_unread) {
  const MutexLock lock(mutex);
  for (const std::string& name : reader_names)
    readers.push_back(std::make_unique<ReaderState>(name, options));
  closed.resize(readers.size());
  written_end = synced_end = ring.begin_line();
  status.on_disk = has_folder();
  status.folder = options.folder;
}

void SpoolCore::append(std::string_view lines, std::uint64_t line_count, WallTime time) {
  CHECK(lines.empty() || lines.back() == '\n');
  const MutexLock lock(mutex);
  status.appended_lines += line_count;
  live_rate.note(line_count, clock.boot_now());
  std::uint64_t oversize = 0;
  std::uint64_t counted = 0;
  while (!lines.empty()) {
    // The longest run of lines that makes one record.
    std::size_t size = 0;
    std::uint64_t count = 0;
    while (size < lines.size() && count < options.batch_lines) {
      const std::size_t line_bytes = lines.find('\n', size) + 1 - size;
      if (line_bytes > SpoolOptions::kLineBytesMax || size + line_bytes > SpoolOptions::kBatchBytesMax) break;
      size += line_bytes;
      ++count;
    }
    counted += std::max<std::uint64_t>(count, 1);
    if (count > 0) {
      append_record(lines.substr(0, size), count, time);
    } else {
      size = lines.find('\n') + 1;
      ++oversize;
    }
    lines.remove_prefix(size);
  }
  CHECK(counted == line_count);
  for (const auto& reader : readers) reader->collect_and_drop(oversize, DropReason::oversize);
  trim();
}

void SpoolCore::wake() {
  const MutexLock lock(mutex);
  writer_wakes.notify_all();
  reader_wakes.notify_all();
}

void SpoolCore::append_record(std::string_view lines, std::uint64_t line_count, WallTime time) {
  if (ended) {
    for (const auto& reader : readers) reader->collect_and_drop(line_count, DropReason::shutdown);
    return;
  }
  const std::uint64_t begin = ring.end_line();
  ring.push(lines, line_count, time, clock.boot_now());
  for (const auto& reader : readers) reader->collect(begin, begin + line_count);
}

bool SpoolCore::adopt(const Recovered& found) {
  const MutexLock lock(mutex);
  if (status.appended_lines == 0) {
    ring.start_at(found.end_line);
    written_end = synced_end = found.end_line;
    for (const auto& reader : readers) reader->start_live(found.end_line);
  } else if (found.end_line > first_line_if_unread || !segments.empty()) {
    return false;
  }
  const std::uint64_t disk_end = found.segments.empty() ? found.end_line : found.segments.back().end;
  for (std::size_t i = 0; i < readers.size(); ++i) {
    CursorSlot slot;
    if (i < found.cursors.size() && found.cursors[i]) {
      slot = *found.cursors[i];
      if (slot.end_line < disk_end) slot.pending.push_back({slot.end_line, disk_end, 0});
      // Written after the cursor was saved.
      slot.collected += disk_end - std::min(slot.end_line, disk_end);
    } else {
      // A new reader, or one whose cursor was lost: all that is there.
      for (const Segment& segment : found.segments) {
        if (segment.lines() > 0) slot.pending.push_back({segment.begin, segment.end, 0});
        slot.collected += segment.lines();
      }
    }
    readers[i]->adopt(slot);
    std::uint64_t at = 0;
    for (const Segment& segment : found.segments) {
      readers[i]->drop(at, segment.begin, DropReason::missing);
      at = segment.end;
    }
    readers[i]->drop(at, found.end_line, DropReason::missing);
    readers[i]->leave_live(found.end_line);
  }
  segments = found.segments;
  status.torn_bytes = found.torn_bytes;
  status.files_set_aside += found.files_set_aside;
  status.files_ignored = found.files_ignored;
  reader_wakes.notify_all();
  return true;
}

std::uint64_t SpoolCore::end() {
  const MutexLock lock(mutex);
  ended = true;
  std::uint64_t lost_most = 0;
  for (const auto& reader : readers) {
    reader->put_back();
    const std::uint64_t lost_before = reader->counts().dropped.total();
    for (const MemoryRecord& record : ring.records()) {
      if (!on_disk(record)) reader->drop(record.begin, record.end, DropReason::shutdown);
    }
    lost_most = std::max(lost_most, reader->counts().dropped.total() - lost_before);
    reader->leave_live(ring.end_line());
  }
  while (!ring.empty()) ring.pop_front();
  closed.assign(closed.size(), true);
  reader_wakes.notify_all();
  return lost_most;
}

SpoolStatus SpoolCore::get_status() {
  const MutexLock lock(mutex);
  SpoolStatus now = status;
  now.segments = segments.size();
  for (const Segment& segment : segments) now.bytes += segment.bytes;
  now.first_line = segments.empty() ? ring.begin_line() : std::min(segments.front().begin, ring.begin_line());
  now.end_line = ring.end_line();
  now.memory_lines = ring.lines();
  now.memory_bytes = ring.bytes();
  for (const MemoryRecord& record : ring.records()) {
    if (!on_disk(record) && wanted(record.begin, record.end)) now.unwritten_lines += record.lines();
  }
  return now;
}

bool SpoolCore::on_disk(const MemoryRecord& record) const {
  return record.end <= written_end && !segments.empty() && record.begin >= segments.front().begin;
}

bool SpoolCore::wanted(std::uint64_t begin, std::uint64_t end) const {
  return std::any_of(readers.begin(), readers.end(),
                     [&](const auto& reader) { return reader->pending().any_in(begin, end); });
}

void SpoolCore::drop_for_all(std::uint64_t begin, std::uint64_t end, DropReason reason) {
  for (const auto& reader : readers) reader->drop(begin, end, reason);
}

Segment* SpoolCore::segment_of(std::uint64_t line) {
  const auto behind =
      std::upper_bound(segments.begin(), segments.end(), line,
                       [](std::uint64_t number, const Segment& segment) { return number < segment.begin; });
  if (behind == segments.begin()) return nullptr;
  Segment& segment = *std::prev(behind);
  return line < segment.end ? &segment : nullptr;
}

std::uint64_t SpoolCore::drain_lines_per_sec() const {
  if (options.drain_lines_per_sec > 0) return options.drain_lines_per_sec;
  return std::max(kDrainLinesPerSecMin, kDrainTimesLiveRate * live_rate.lines_per_sec());
}

void SpoolCore::trim() {
  while (!ring.empty() && front_is_free()) ring.pop_front();
  drop_overflow();
}

bool SpoolCore::front_is_free() {
  MemoryRecord& oldest = ring.front();
  if (on_disk(oldest)) {
    // Until it is safe there, it may have to be written again.
    if (oldest.end > synced_end) return false;
    return std::none_of(readers.begin(), readers.end(), [&](const auto& reader) {
      return reader->pending().any_in(std::max(oldest.begin, reader->live_begin()), oldest.end);
    });
  }
  const bool is_to_be_written = has_folder() && oldest.end > written_end;
  if (is_to_be_written || wanted(oldest.begin, oldest.end)) return false;
  // Its segment is gone.
  if (has_folder()) return true;
  // Without a disk it stays for a replay.
  if (!oldest.done_since) oldest.done_since = clock.boot_now();
  return replay_is_over(*oldest.done_since);
}

bool SpoolCore::replay_is_over(BootTime done_since) const {
  const auto is_past = [&](BootTime now) { return now - done_since >= options.replay_hold; };
  return is_past(clock.boot_now()) && std::all_of(readers.begin(), readers.end(), [&](const auto& reader) {
           return reader->pending().empty() || is_past(reader->last_acknowledged());
         });
}

bool SpoolCore::over_bounds() const {
  if (ring.bytes() > options.memory_bytes) return true;
  if (has_folder()) return ring.lines() > options.memory_lines && on_disk(ring.front());
  // What is in flight or kept for a replay comes on top.
  return ring.lines() > 2 * options.memory_lines ||
         std::any_of(readers.begin(), readers.end(),
                     [&](const auto& reader) { return reader->counts().waiting > options.memory_lines; });
}

void SpoolCore::drop_overflow() {
  while (!ring.empty() && over_bounds()) {
    const MemoryRecord& oldest = ring.front();
    std::uint64_t drop_end = oldest.end;
    if (!on_disk(oldest)) {
      std::uint64_t waiting_most = 0;
      bool all_wait = true;
      for (const auto& reader : readers) {
        waiting_most = std::max(waiting_most, reader->counts().waiting);
        const Batch flying = reader->in_flight();
        const bool overlaps = flying.first_line < oldest.end && flying.end_line() > oldest.begin;
        all_wait =
            all_wait && !overlaps && reader->pending().lines_in(oldest.begin, oldest.end) == oldest.lines();
      }
      // Over by lines alone: not more of them than must go.
      const std::uint64_t excess = waiting_most - std::min(waiting_most, options.memory_lines);
      if (!has_folder() && all_wait && excess > 0 && excess < oldest.lines() &&
          ring.bytes() <= options.memory_bytes)
        drop_end = oldest.begin + excess;
      drop_for_all(oldest.begin, drop_end, disk_is_full ? DropReason::disk_space : DropReason::memory);
    }
    if (drop_end == oldest.end) {
      ring.pop_front();
    } else {
      ring.drop_front(drop_end - oldest.begin);
    }
    for (const auto& reader : readers) reader->leave_live(ring.begin_line());
  }
}

}  // namespace virtmeter
