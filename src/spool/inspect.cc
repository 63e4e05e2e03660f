#include "spool/inspect.h"

#include <fmt/format.h>

#include <algorithm>

#include "spool/format.h"
#include "spool/record_codec.h"
#include "spool/record_scanner.h"
#include "spool/recovery.h"

namespace virtmeter {
namespace {

// The work of inspect_spool(), step by step. What cannot be read is damage, too.
class Inspection {
 public:
  Inspection(const std::string& folder, FileSystem& files) : folder_(folder), files_(files) {
    report_.folder = folder;
  }

  Result<SpoolReport> run() {
    auto entries = files_.list(folder_, kSpoolFilesMax);
    if (!entries) return std::move(entries).error();
    std::sort(entries.value().begin(), entries.value().end(),
              [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
    for (const FolderEntry& entry : entries.value()) inspect(entry);
    report_gaps();
    const auto quarantined = files_.list(path(kQuarantineName), kSpoolFilesMax);
    if (quarantined) report_.quarantined_files = quarantined.value().size();
    return std::move(report_);
  }

 private:
  void inspect(const FolderEntry& entry) {
    if (entry.name == kSpoolLockName || entry.name == kQuarantineName) return;
    if (entry.regular && parse_segment_name(entry.name)) {
      inspect_segment(entry);
    } else if (entry.regular && reader_of_cursor_name(entry.name)) {
      inspect_cursor(entry);
    } else {
      report_.foreign_files.push_back(entry.name);
    }
  }

  void inspect_segment(const FolderEntry& entry) {
    const auto read = read_segment(files_, folder_, entry, SegmentDepth::header_and_seal);
    if (!read) return damage(entry.name, 0, entry.size, read.error().message);
    if (read.value().state == HeaderState::newer)
      return damage(entry.name, 0, entry.size, "written by a newer version of virtmeter");
    if (read.value().state == HeaderState::damaged)
      damage(entry.name, 0, kSegmentHeaderBytes, "the header of the segment is damaged");
    SegmentReport segment;
    segment.file = entry.name;
    segment.bytes = entry.size;
    segment.first_line = read.value().segment.begin;
    segment.end_line = read.value().segment.end;
    segment.sealed = read.value().segment.sealed;
    auto file = files_.open(path(entry.name), OpenMode::read);
    if (!file) return damage(entry.name, 0, entry.size, file.error().message);
    read_records(*file.value(), segment);
    report_.segments.push_back(std::move(segment));
  }

  void read_records(File& file, SegmentReport& segment) {
    RecordScanner scanner(file, segment.bytes);
    while (true) {
      const auto item = scanner.next();
      if (!item) {
        damage(segment.file, scanner.offset(), 0, item.error().message);
        scanner.skip_unreadable();
        continue;
      }
      if (item.value().found == RecordScanner::Found::end) {
        segment.torn_bytes += item.value().bytes;
        return;
      }
      note_record(item.value(), segment);
    }
  }

  void note_record(const RecordScanner::Item& item, SegmentReport& segment) {
    const auto& header = item.header;
    if (header && header->type == RecordType::lines)
      segment.end_line = std::max(segment.end_line, header->end_line());
    if (item.found == RecordScanner::Found::damage) {
      const bool is_cut = item.offset + item.bytes >= segment.bytes && !segment.sealed;
      if (is_cut) segment.torn_bytes += item.bytes;
      damage(segment.file, item.offset, item.bytes,
             header ? fmt::format("a record of {} lines, number {} on, is {}", header->line_count,
                                  header->first_line, is_cut ? "unfinished" : "damaged")
                    : "no record");
      return;
    }
    if (header->type != RecordType::lines) return;
    if (!decoder_.decode(*header, item.payload, lines_)) {
      damage(segment.file, item.offset, item.bytes, "a record does not hold what its header says");
      return;
    }
    ++segment.records;
    segment.lines += header->line_count;
    segment.raw_bytes += lines_.size();
    const WallTime time{header->time_ns};
    segment.time_min = segment.time_min ? std::min(*segment.time_min, time) : time;
    segment.time_max = segment.time_max ? std::max(*segment.time_max, time) : time;
  }

  void inspect_cursor(const FolderEntry& entry) {
    CursorReport cursor;
    cursor.file = entry.name;
    cursor.reader = *reader_of_cursor_name(entry.name);
    auto read = read_cursor(files_, path(entry.name));
    if (!read) {
      damage(entry.name, 0, entry.size, read.error().message);
    } else if (read.value().state != HeaderState::good) {
      damage(entry.name, 0, entry.size,
             read.value().state == HeaderState::newer ? "written by a newer version of virtmeter"
                                                      : "no slot of the cursor is whole");
    } else {
      const CursorSlot& slot = read.value().slot;
      cursor.valid = true;
      cursor.end_line = slot.end_line;
      cursor.pending_ranges = slot.pending.size();
      cursor.counts.collected = slot.collected;
      cursor.counts.delivered = slot.delivered;
      cursor.counts.resent = slot.resent;
      cursor.counts.dropped = slot.dropped;
      for (const PendingRange& range : slot.pending) cursor.counts.waiting += range.uncounted();
      cursor.counts.backlog = cursor.counts.waiting;
    }
    report_.cursors.push_back(std::move(cursor));
  }

  // Numbers between segments that no record has are no damage by themselves: all readers may be done with
  // them. Where a segment claims lines that the next one has, the next one counts.
  void report_gaps() {
    for (std::size_t i = 0; i + 1 < report_.segments.size(); ++i) {
      SegmentReport& segment = report_.segments[i];
      segment.end_line = std::clamp(segment.end_line, segment.first_line,
                                    std::max(segment.first_line, report_.segments[i + 1].first_line));
    }
  }

  void damage(const std::string& file, std::uint64_t offset, std::uint64_t bytes, std::string what) {
    ++report_.damage_count;
    if (report_.damage.size() < SpoolReport::kDamageMax)
      report_.damage.push_back({file, offset, bytes, std::move(what)});
  }

  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }

  const std::string& folder_;
  FileSystem& files_;
  SpoolReport report_;
  RecordDecoder decoder_;
  std::string lines_;
};

}  // namespace

Result<SpoolReport> inspect_spool(const std::string& folder, FileSystem& files) {
  return Inspection(folder, files).run();
}

}  // namespace virtmeter
