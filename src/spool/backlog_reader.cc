#include "spool/backlog_reader.h"

#include <algorithm>

#include "spool/batch.h"

namespace virtmeter {

BacklogReader::BacklogReader(FileSystem& files, std::string folder)
    : files_(files), folder_(std::move(folder)) {}

Result<BacklogReader::Got> BacklogReader::read(const Want& want, std::string& lines) {
  lines.clear();
  Got got{want.begin, want.begin};
  if (Status status = go_to(want); !status) {
    if (status.error().code != Errc::not_found) return std::move(status).error();
    // Somebody removed it.
    got.lost_end = want.end;
    return got;
  }
  while (got.end < want.end && got.end - want.begin < want.lines_max) {
    const Result<bool> found = find_record(got.end);
    // What was read before an error is good; the error will come again.
    if (!found && got.end == want.begin) return found.error();
    if (!found || !found.value() || record_begin_ > got.end) {
      if (got.end > want.begin) return got;
      got.lost_end = found.value() ? std::min(record_begin_, want.end) : want.end;
      return got;
    }
    const std::string_view rest =
        std::string_view(record_).substr(end_of_lines(record_, got.end - record_begin_));
    const std::uint64_t wanted = std::min({record_end_, want.end, want.begin + want.lines_max}) - got.end;
    const std::size_t room = want.bytes_max - std::min(want.bytes_max, lines.size());
    std::uint64_t copied = copy_lines(rest, wanted, room, lines);
    if (copied == 0 && got.end == want.begin) copied = copy_lines(rest, 1, rest.size(), lines);
    got.end += copied;
    if (copied < wanted) return got;
  }
  return got;
}

Status BacklogReader::go_to(const Want& want) {
  const bool behind = record_begin_ > want.begin;
  if (!file_ || segment_name_ != want.segment.name || behind) {
    close();
    auto file = files_.open(folder_ + "/" + want.segment.name, OpenMode::read);
    if (!file) return std::move(file).error();
    file_ = std::move(file).value();
    segment_name_ = want.segment.name;
    scanner_ = std::make_unique<RecordScanner>(*file_, want.segment.bytes);
  }
  scanner_->set_end(want.segment.bytes);
  return Status::ok();
}

Result<bool> BacklogReader::find_record(std::uint64_t line) {
  while (record_end_ <= line) {
    const auto item = scanner_->next(line);
    if (!item) return item.error();
    if (item.value().found == RecordScanner::Found::end) return false;
    if (item.value().found == RecordScanner::Found::damage) continue;
    const RecordHeader& header = *item.value().header;
    if (header.type != RecordType::lines || header.end_line() <= line) continue;
    if (!decoder_.decode(header, item.value().payload, record_)) continue;
    record_begin_ = header.first_line;
    record_end_ = header.end_line();
  }
  return true;
}

void BacklogReader::skip_unreadable() {
  if (scanner_) scanner_->skip_unreadable();
}

void BacklogReader::close() {
  scanner_.reset();
  file_.reset();
  segment_name_.clear();
  record_.clear();
  record_begin_ = record_end_ = 0;
}

}  // namespace virtmeter
