#include "spool/recovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "spool/record_scanner.h"

namespace virtmeter {
namespace {

constexpr std::size_t kQuarantineFilesMax = 16;
constexpr std::uint64_t kQuarantineBytesMax = std::uint64_t{256} << 20;

std::string_view trailing(std::string_view bytes, std::size_t size) {
  return bytes.substr(bytes.size() - std::min(bytes.size(), size));
}

std::optional<WallTime> earlier(std::optional<WallTime> a, WallTime b) { return a ? std::min(*a, b) : b; }
std::optional<WallTime> later(std::optional<WallTime> a, WallTime b) { return a ? std::max(*a, b) : b; }

Status read_seal(File& file, SegmentRead& read) {
  Segment& segment = read.segment;
  if (segment.bytes < kSegmentHeaderBytes + kSealBytes) return Status::ok();
  std::string bytes(kSealBytes, '\0');
  const auto got = file.read_at(bytes, segment.bytes - kSealBytes);
  if (!got) return got.error();
  const auto header = decode_record_header(bytes);
  if (got.value() != kSealBytes || !header) return Status::ok();
  const auto seal = decode_seal(*header, trailing(bytes, kSealPayloadBytes));
  if (!seal || header->first_line < segment.begin) return Status::ok();
  segment.sealed = true;
  segment.end = header->first_line;
  segment.time_min = WallTime{seal->time_min_ns};
  segment.time_max = WallTime{seal->time_max_ns};
  return Status::ok();
}

Status scan_records(File& file, SegmentRead& read) {
  Segment& segment = read.segment;
  RecordScanner scanner(file, segment.bytes);
  std::uint64_t good_end = kSegmentHeaderBytes;
  while (true) {
    const auto item = scanner.next();
    if (!item) return item.error();
    if (item.value().found == RecordScanner::Found::end) break;
    const auto& header = item.value().header;
    if (!header) continue;
    if (header->type == RecordType::lines && header->end_line() > segment.end) {
      // A record whose header is good tells what was lost with it.
      segment.end = header->end_line();
      segment.time_min = earlier(segment.time_min, WallTime{header->time_ns});
      segment.time_max = later(segment.time_max, WallTime{header->time_ns});
    }
    if (item.value().found != RecordScanner::Found::record) continue;
    read.holds_records = true;
    good_end = scanner.offset();
  }
  read.torn_bytes = segment.bytes - std::min(segment.bytes, good_end);
  return Status::ok();
}

// The work of recover_spool(), step by step.
class Recovery {
 public:
  Recovery(const std::string& folder, const std::vector<std::string>& reader_names, FileSystem& files,
           Unreadable unreadable)
      : folder_(folder), reader_names_(reader_names), files_(files), unreadable_(unreadable) {
    found_.cursors.resize(reader_names.size());
  }

  Result<Recovered> run() {
    auto entries = files_.list(folder_, kSpoolFilesMax);
    if (!entries) return std::move(entries).error();
    std::sort(entries.value().begin(), entries.value().end(),
              [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
    if (Status status = look_into_quarantine(); !status) return std::move(status).error();
    for (const FolderEntry& entry : entries.value()) {
      if (Status status = take(entry); !status) return std::move(status).error();
    }
    if (Status status = read_last_segments(); !status) return std::move(status).error();
    bound_segments();
    return std::move(found_);
  }

 private:
  Status look_into_quarantine() {
    const auto entries = files_.list(path(kQuarantineName), kQuarantineFilesMax);
    // Not there yet, mostly.
    if (!entries) return entries.error().code == Errc::not_found ? Status::ok() : Status(entries.error());
    quarantined_files_ = entries.value().size();
    for (const FolderEntry& entry : entries.value()) quarantined_bytes_ += entry.size;
    return Status::ok();
  }

  Status take(const FolderEntry& entry) {
    if (entry.name == kSpoolLockName || entry.name == kQuarantineName) return Status::ok();
    const auto segment = entry.regular ? parse_segment_name(entry.name) : std::nullopt;
    if (segment) {
      found_.next_ordinal = std::max(found_.next_ordinal, segment->ordinal + 1);
      return take_segment(entry);
    }
    if (entry.regular && reader_of_cursor_name(entry.name)) return take_cursor(entry);
    return set_aside(entry, "not a file of the spool");
  }

  Status take_segment(const FolderEntry& entry) {
    if (entry.size > kSegmentFileBytesMax) return set_aside(entry, "too large for a segment");
    auto read = read_segment(files_, folder_, entry, SegmentDepth::header_and_seal);
    if (!read) return cannot_read(entry, read.error());
    if (read.value().state == HeaderState::newer)
      return set_aside(entry, "written by a newer version of virtmeter");
    if (read.value().state == HeaderState::damaged) {
      read = read_segment(files_, folder_, entry, SegmentDepth::every_record);
      if (!read) return cannot_read(entry, read.error());
      if (!read.value().holds_records) return drop_empty(entry);
    }
    found_.segments.push_back(read.value().segment);
    sizes_.push_back(entry);
    return Status::ok();
  }

  // Made, but a crash came before anything was in it; or nothing in it can be read.
  Status drop_empty(const FolderEntry& entry) {
    if (entry.size > kSegmentHeaderBytes) return set_aside(entry, "damaged, with no record that can be read");
    found_.torn_bytes += entry.size;
    return files_.remove(path(entry.name));
  }

  Status take_cursor(const FolderEntry& entry) {
    auto read = read_cursor(files_, path(entry.name));
    if (!read) return cannot_read(entry, read.error());
    if (read.value().state == HeaderState::newer)
      return set_aside(entry, "written by a newer version of virtmeter");
    if (read.value().state == HeaderState::damaged) {
      found_.words.push_back(fmt::format("{}: damaged; all that the spool holds is sent again", entry.name));
      return Status::ok();
    }
    found_.end_line = std::max(found_.end_line, read.value().slot.end_line);
    const std::string reader = *reader_of_cursor_name(entry.name);
    const auto name = std::find(reader_names_.begin(), reader_names_.end(), reader);
    if (name != reader_names_.end())
      found_.cursors[static_cast<std::size_t>(name - reader_names_.begin())] = std::move(read.value().slot);
    return Status::ok();
  }

  // The last segment was being written when the process ended, or else has a seal. One that holds nothing
  // says nothing about the one before it.
  Status read_last_segments() {
    for (std::size_t i = found_.segments.size(); i-- > 0;) {
      Segment& segment = found_.segments[i];
      if (segment.sealed) break;
      auto read = read_segment(files_, folder_, sizes_[i], SegmentDepth::every_record);
      if (!read) {
        // Where it ends is not known, and so its numbers would be given again: it cannot stay.
        if (Status status = cannot_read(sizes_[i], read.error()); !status) return status;
        found_.segments.erase(found_.segments.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      segment = read.value().segment;
      found_.torn_bytes += read.value().torn_bytes;
      if (segment.end > segment.begin) break;
    }
    return Status::ok();
  }

  // Each ends where the next begins, at the latest; where a segment does not say its end, exactly there.
  void bound_segments() {
    std::vector<Segment>& segments = found_.segments;
    for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
      const std::uint64_t next = segments[i + 1].begin;
      const bool knows_its_end = segments[i].sealed || segments[i].end > segments[i].begin;
      segments[i].end = knows_its_end ? std::min(segments[i].end, next) : next;
    }
    if (!segments.empty()) found_.end_line = std::max(found_.end_line, segments.back().end);
  }

  Status cannot_read(const FolderEntry& entry, const Error& error) {
    if (unreadable_ == Unreadable::fail) return error;
    return set_aside(entry, error.message);
  }

  Status set_aside(const FolderEntry& entry, std::string_view why) {
    const bool has_room =
        quarantined_files_ < kQuarantineFilesMax && quarantined_bytes_ + entry.size <= kQuarantineBytesMax;
    if (!entry.regular || !has_room) {
      ++found_.files_ignored;
      found_.words.push_back(fmt::format("{}: {}; ignored", entry.name, why));
      return Status::ok();
    }
    if (Status status = files_.make_folder(path(kQuarantineName)); !status) return status;
    const std::string target = free_name(entry.name);
    if (Status status = files_.rename(path(entry.name), path(kQuarantineName) + "/" + target); !status)
      return status;
    ++quarantined_files_;
    quarantined_bytes_ += entry.size;
    ++found_.files_set_aside;
    found_.words.push_back(fmt::format("{}: {}; moved to {}/{}", entry.name, why, kQuarantineName, target));
    if (Status status = files_.sync_folder(path(kQuarantineName)); !status) return status;
    return files_.sync_folder(folder_);
  }

  // Nothing in quarantine is written over.
  std::string free_name(const std::string& name) {
    for (std::size_t i = 0; i < kQuarantineFilesMax + 1; ++i) {
      std::string candidate = i == 0 ? name : fmt::format("{}.{}", name, i);
      if (!files_.open(path(kQuarantineName) + "/" + candidate, OpenMode::read)) return candidate;
    }
    return name;
  }

  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }

  const std::string& folder_;
  const std::vector<std::string>& reader_names_;
  FileSystem& files_;
  const Unreadable unreadable_;
  Recovered found_;
  std::vector<FolderEntry> sizes_;  // By segment.
  std::size_t quarantined_files_ = 0;
  std::uint64_t quarantined_bytes_ = 0;
};

}  // namespace

Result<SegmentRead> read_segment(FileSystem& files, const std::string& folder, const FolderEntry& entry,
                                 SegmentDepth depth) {
  auto file = files.open(folder + "/" + entry.name, OpenMode::read);
  if (!file) return std::move(file).error();
  SegmentRead read;
  Segment& segment = read.segment;
  segment.name = entry.name;
  segment.bytes = entry.size;
  std::string bytes(kSegmentHeaderBytes, '\0');
  const auto got = file.value()->read_at(bytes, 0);
  if (!got) return got.error();
  SegmentHeader header;
  read.state = decode(bytes, header);
  if (read.state == HeaderState::newer) return read;
  // The name says what a damaged header does not.
  const auto name = parse_segment_name(entry.name);
  segment.begin = segment.end = name ? name->first_line : header.first_line;
  segment.ordinal = name ? name->ordinal : header.ordinal;
  if (read.state == HeaderState::good) segment.time_min = WallTime{header.created_wall_ns};
  if (Status status = read_seal(*file.value(), read); !status) return std::move(status).error();
  if (depth == SegmentDepth::header_and_seal) return read;
  if (Status status = scan_records(*file.value(), read); !status) return std::move(status).error();
  return read;
}

Result<CursorRead> read_cursor(FileSystem& files, const std::string& path) {
  auto file = files.open(path, OpenMode::read);
  if (!file) return std::move(file).error();
  CursorRead read;
  std::string bytes(kCursorSlotBytes, '\0');
  for (std::size_t i = 0; i < kCursorSlots; ++i) {
    const auto got = file.value()->read_at(bytes, i * kCursorSlotBytes);
    if (!got) return got.error();
    CursorSlot slot;
    const HeaderState state = decode(std::string_view(bytes).substr(0, got.value()), slot);
    if (state == HeaderState::damaged) continue;
    const bool is_better = read.state != HeaderState::good || slot.version > read.slot.version;
    if (state == HeaderState::good && is_better) read.slot = std::move(slot);
    if (read.state != HeaderState::good) read.state = state;
  }
  return read;
}

Result<Recovered> recover_spool(const std::string& folder, const std::vector<std::string>& reader_names,
                                FileSystem& files, Unreadable unreadable) {
  return Recovery(folder, reader_names, files, unreadable).run();
}

}  // namespace virtmeter
