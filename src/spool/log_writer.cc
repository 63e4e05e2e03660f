#include "spool/log_writer.h"

#include <algorithm>

namespace virtmeter {
namespace {

// What one write may hold, in bytes before compression.
constexpr std::size_t kGatherBytesMax = 8u << 20;

void add(Seal& totals, const Seal& more) {
  totals.time_min_ns =
      totals.line_count == 0 ? more.time_min_ns : std::min(totals.time_min_ns, more.time_min_ns);
  totals.time_max_ns =
      totals.line_count == 0 ? more.time_max_ns : std::max(totals.time_max_ns, more.time_max_ns);
  totals.line_count += more.line_count;
  totals.raw_bytes += more.raw_bytes;
}

}  // namespace

Status LogWriter::write() {
  Status status = is_old() ? close() : Status::ok();
  if (!status) return status;
  while (gather()) {
    if (active_ && active_->bytes() + buffer_.size() > core_.options.segment_bytes &&
        active_->totals().line_count > 0) {
      status = close();
      // Given up: lines from before those that were gathered are to be written again first.
      if (!status) return status;
    }
    if (!active_) status = open_segment();
    if (status) status = write_gathered();
    if (!status) {
      give_up_segment();
      return status;
    }
  }
  status = sync(core_.options.sync);
  if (!status) give_up_segment();
  return status;
}

bool LogWriter::is_old() const {
  return active_ && active_->totals().line_count > 0 &&
         core_.clock.boot_now() - active_->created() >= core_.options.segment_age;
}

bool LogWriter::gather() {
  lines_.clear();
  buffer_.clear();
  totals_ = {};
  {
    const MutexLock lock(core_.mutex);
    std::size_t bytes = 0;
    for (MemoryRecord& record : core_.ring.records()) {
      if (record.end <= core_.written_end) continue;
      if (!lines_.empty() && bytes + record.bytes().size() > kGatherBytesMax) break;
      record.pinned = true;
      bytes += record.bytes().size();
      lines_.push_back({record.bytes(), record.lines(), record.begin, record.time});
    }
  }
  if (lines_.empty()) return false;
  begin_ = lines_.front().first_line;
  for (const RecordEncoder::Lines& lines : lines_) {
    encoder_.append(lines, buffer_);
    end_ = lines.first_line + lines.line_count;
    add(totals_, {lines.line_count, lines.bytes.size(), lines.time.unix_ns, lines.time.unix_ns});
  }
  const MutexLock lock(core_.mutex);
  core_.ring.unpin_all();
  return true;
}

Status LogWriter::open_segment() {
  const SegmentHeader header{next_ordinal_++, begin_, core_.clock.wall_now().unix_ns,
                             core_.clock.boot_now().since_boot.count()};
  auto file = SegmentFile::create(core_.files, core_.options.folder, header, core_.options.segment_bytes);
  if (!file) {
    leftovers_.push_back(segment_name(header.first_line, header.ordinal));
    return std::move(file).error();
  }
  active_ = std::move(file).value();
  Segment segment;
  segment.name = active_->name();
  segment.ordinal = header.ordinal;
  segment.begin = segment.end = begin_;
  segment.bytes = active_->bytes();
  segment.time_min = WallTime{header.created_wall_ns};
  segment.active = true;
  const MutexLock lock(core_.mutex);
  core_.segments.push_back(segment);
  return Status::ok();
}

Status LogWriter::write_gathered() {
  if (Status status = active_->append(buffer_); !status) return status;
  add(active_->totals(), totals_);
  const MutexLock lock(core_.mutex);
  Segment& segment = core_.segments.back();
  segment.end = end_;
  segment.bytes = active_->bytes();
  segment.time_min = WallTime{active_->totals().time_min_ns};
  segment.time_max = WallTime{active_->totals().time_max_ns};
  core_.written_end = end_;
  return Status::ok();
}

Status LogWriter::sync(SpoolSync mode) {
  bool is_due = false;
  {
    const MutexLock lock(core_.mutex);
    is_due = active_ != nullptr && core_.synced_end < core_.written_end;
  }
  const BootTime now = core_.clock.boot_now();
  if (mode == SpoolSync::interval) is_due = is_due && now - synced_at_ >= core_.options.sync_interval;
  if (!is_due) return Status::ok();
  if (mode != SpoolSync::never) {
    if (Status status = active_->sync(); !status) return status;
    synced_at_ = now;
  }
  const MutexLock lock(core_.mutex);
  core_.synced_end = core_.written_end;
  if (mode != SpoolSync::never) core_.status.last_sync = core_.clock.wall_now();
  core_.trim();
  return Status::ok();
}

Status LogWriter::close() {
  if (!active_) return Status::ok();
  std::uint64_t end_line = 0;
  {
    const MutexLock lock(core_.mutex);
    end_line = core_.segments.back().end;
  }
  Status status = active_->append(encode(active_->totals(), end_line));
  const SpoolSync mode = core_.options.sync == SpoolSync::never ? SpoolSync::never : SpoolSync::every_append;
  if (status && mode != SpoolSync::never) status = active_->sync();
  if (!status) {
    // Without its seal it is read through when it is needed; what was not safe is written again.
    give_up_segment();
    return status;
  }
  active_->release_room();
  const MutexLock lock(core_.mutex);
  core_.synced_end = core_.written_end;
  Segment& segment = core_.segments.back();
  segment.bytes = active_->bytes();
  segment.sealed = true;
  segment.active = false;
  active_.reset();
  core_.trim();
  return Status::ok();
}

void LogWriter::give_up_segment() {
  if (!active_) return;
  const std::string name = active_->name();
  active_->release_room();
  active_.reset();
  const MutexLock lock(core_.mutex);
  const std::uint64_t safe_end = std::max(core_.synced_end, core_.ring.begin_line());
  core_.written_end = std::min(core_.written_end, safe_end);
  Segment& segment = core_.segments.back();
  segment.active = false;
  segment.end = std::clamp(segment.end, segment.begin, std::max(segment.begin, safe_end));
  if (segment.lines() > 0) return;
  leftovers_.push_back(name);
  core_.segments.pop_back();
}

}  // namespace virtmeter
