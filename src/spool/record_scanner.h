// RecordScanner: the records of a segment, one after the other, through a window of bounded size. Damage is
// stepped over: behind a damaged payload stands the next header, and behind a damaged header the next one is
// searched at every eighth byte. Ends for any bytes, in time proportional to their number. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/result.h"
#include "spool/format.h"

namespace virtmeter {

class RecordScanner {
 public:
  // Reads `file` from behind the segment's header up to `end_offset`.
  RecordScanner(File& file, std::uint64_t end_offset);

  enum class Found : std::uint8_t { record, damage, end };
  struct Item {
    Found found = Found::end;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;  // Of an end: what stands behind the last record and is none.
    // Of a record, and of damage to a payload behind a good header.
    std::optional<RecordHeader> header;
    // Of a record that was not skipped, checked against its checksum. Valid until the next call.
    std::string_view payload;
  };

  // The payload of a record that ends at or before `from_line` is not read.
  Result<Item> next(std::uint64_t from_line = 0);

  // After an error: goes on behind the part that could not be read.
  void skip_unreadable();

  // The segment has grown.
  void set_end(std::uint64_t end_offset) { end_ = end_offset; }
  std::uint64_t offset() const { return offset_; }

 private:
  // The bytes at `offset`, `size` of them or as many as there are before the end.
  Result<std::string_view> window(std::uint64_t offset, std::size_t size);
  Result<Item> step_over(const RecordHeader& header, std::uint64_t from_line);
  Result<Item> search();

  File& file_;
  std::uint64_t end_;
  std::uint64_t offset_ = kSegmentHeaderBytes;
  std::string buffer_;
  std::uint64_t buffer_offset_ = 0;
  std::size_t buffer_size_ = 0;
};

}  // namespace virtmeter
