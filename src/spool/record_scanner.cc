#include "spool/record_scanner.h"

#include <algorithm>

#include "base/crc32c.h"

namespace virtmeter {
namespace {

constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::uint64_t kUnreadableBytes = 4096;

RecordScanner::Item item_of(RecordScanner::Found found, std::uint64_t offset, std::uint64_t bytes) {
  RecordScanner::Item item;
  item.found = found;
  item.offset = offset;
  item.bytes = bytes;
  return item;
}

}  // namespace

RecordScanner::RecordScanner(File& file, std::uint64_t end_offset) : file_(file), end_(end_offset) {}

Result<RecordScanner::Item> RecordScanner::next(std::uint64_t from_line) {
  if (offset_ >= end_) return item_of(Found::end, end_, 0);
  const auto bytes = window(offset_, kRecordHeaderBytes);
  if (!bytes) return bytes.error();
  const std::optional<RecordHeader> header = decode_record_header(bytes.value());
  return header ? step_over(*header, from_line) : search();
}

Result<RecordScanner::Item> RecordScanner::step_over(const RecordHeader& header, std::uint64_t from_line) {
  Item item = item_of(Found::record, offset_, header.size());
  item.header = header;
  const std::uint64_t payload_end = offset_ + kRecordHeaderBytes + header.stored_bytes;
  if (payload_end > end_) {
    // Its header is good, so what follows is the beginning of its payload: nothing to search.
    item.found = Found::damage;
    item.bytes = end_ - offset_;
    offset_ = end_;
    return item;
  }
  const bool wanted = header.type == RecordType::seal || header.end_line() > from_line;
  if (wanted) {
    const auto bytes = window(offset_, kRecordHeaderBytes + header.stored_bytes);
    if (!bytes) return bytes.error();
    item.payload = bytes.value().substr(std::min(bytes.value().size(), kRecordHeaderBytes));
    if (item.payload.size() != header.stored_bytes || crc32c(item.payload) != header.payload_crc) {
      item.found = Found::damage;
      item.payload = {};
    }
  }
  offset_ = std::min(end_, offset_ + header.size());
  return item;
}

Result<RecordScanner::Item> RecordScanner::search() {
  const std::uint64_t begin = offset_;
  std::uint64_t at = (begin & ~std::uint64_t{kRecordAlignment - 1}) + kRecordAlignment;
  for (; at + kRecordHeaderBytes <= end_; at += kRecordAlignment) {
    const auto bytes = window(at, kRecordHeaderBytes);
    if (!bytes) {
      offset_ = at;
      return bytes.error();
    }
    // The file is shorter than it was.
    if (bytes.value().size() < kRecordHeaderBytes) break;
    if (!decode_record_header(bytes.value())) continue;
    offset_ = at;
    return item_of(Found::damage, begin, at - begin);
  }
  offset_ = end_;
  return item_of(Found::end, begin, end_ - begin);
}

Result<std::string_view> RecordScanner::window(std::uint64_t offset, std::size_t size) {
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, end_ - offset));
  if (offset < buffer_offset_ || offset + size > buffer_offset_ + buffer_size_) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(std::max(size, kReadBytes), end_ - offset));
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    buffer_size_ = 0;
    const auto got = file_.read_at({buffer_.data(), wanted}, offset);
    if (!got) return got.error();
    buffer_offset_ = offset;
    buffer_size_ = got.value();
  }
  const std::string_view all(buffer_.data(), buffer_size_);
  return all.substr(static_cast<std::size_t>(offset - buffer_offset_)).substr(0, size);
}

void RecordScanner::skip_unreadable() {
  offset_ = std::min(end_, (offset_ / kUnreadableBytes + 1) * kUnreadableBytes);
  buffer_size_ = 0;
}

}  // namespace virtmeter
