// The spool's bytes on disk, little-endian, as docs/spool_format.md describes them: header of a segment,
// header of a record, seal, slot of a cursor. Decoding takes any bytes and gives only what its checksum and
// its bounds vouch for. Pure functions. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spool/pending_ranges.h"
#include "spool/spool_counts.h"
#include "spool/spool_options.h"

namespace virtmeter {

inline constexpr std::uint32_t kSpoolFormatVersion = 1;
// No line number comes near it; what claims to be above is damage, and sums of two cannot overflow.
inline constexpr std::uint64_t kLineNumberMax = std::uint64_t{1} << 62;

// ------------------------------------------------------------------------------------------------- segment

inline constexpr std::size_t kSegmentHeaderBytes = 64;
// A larger file is none of ours.
inline constexpr std::uint64_t kSegmentFileBytesMax = std::uint64_t{1} << 30;

struct SegmentHeader {
  std::uint64_t ordinal = 0;  // Counts segments, for ever.
  std::uint64_t first_line = 0;
  std::int64_t created_wall_ns = 0;
  std::int64_t created_boot_ns = 0;
};

enum class HeaderState : std::uint8_t { good, damaged, newer };

std::string encode(const SegmentHeader& header);
// `bytes` may be short. `newer`: written by a version of virtmeter that this one does not understand.
HeaderState decode(std::string_view bytes, SegmentHeader& header);

// "<first line>-<ordinal>.seg", in hexadecimal of 16 and 8 digits, so that the order of names is the order of
// lines.
std::string segment_name(std::uint64_t first_line, std::uint64_t ordinal);
struct SegmentName {
  std::uint64_t first_line = 0;
  std::uint64_t ordinal = 0;
};
std::optional<SegmentName> parse_segment_name(std::string_view name);

// -------------------------------------------------------------------------------------------------- record

inline constexpr std::size_t kRecordHeaderBytes = 48;
inline constexpr std::size_t kRecordAlignment = 8;
inline constexpr std::uint32_t kRecordMagic = 0x4B565052;

enum class RecordType : std::uint8_t { lines = 1, seal = 2 };
enum class Codec : std::uint8_t { raw = 0, zstd = 1 };

struct RecordHeader {
  RecordType type = RecordType::lines;
  Codec codec = Codec::raw;
  std::uint32_t payload_crc = 0;
  std::uint32_t stored_bytes = 0;
  std::uint32_t raw_bytes = 0;
  std::uint32_t line_count = 0;
  std::uint64_t first_line = 0;  // Of a seal: the number after the segment's last line.
  std::int64_t time_ns = 0;

  std::uint64_t end_line() const { return first_line + line_count; }
  // With header and padding.
  std::uint64_t size() const;
};

void encode(const RecordHeader& header, char* into);
// Absent: `bytes` do not begin with a whole, undamaged header.
std::optional<RecordHeader> decode_record_header(std::string_view bytes);

// The last record of a segment that was closed in order.
struct Seal {
  std::uint64_t line_count = 0;
  std::uint64_t raw_bytes = 0;
  std::int64_t time_min_ns = 0;
  std::int64_t time_max_ns = 0;
};
inline constexpr std::size_t kSealPayloadBytes = 32;
inline constexpr std::size_t kSealBytes = kRecordHeaderBytes + kSealPayloadBytes;

// The whole record.
std::string encode(const Seal& seal, std::uint64_t end_line);
std::optional<Seal> decode_seal(const RecordHeader& header, std::string_view payload);

// -------------------------------------------------------------------------------------------------- cursor

inline constexpr std::size_t kCursorSlotBytes = 4096;
inline constexpr std::size_t kCursorSlots = 2;

// A reader's position and counts, of one moment. Lines below `end_line` that are not pending are done with.
struct CursorSlot {
  std::uint64_t version = 0;  // Counts saves; the higher of two good slots is the cursor.
  std::int64_t saved_wall_ns = 0;
  std::uint64_t end_line = 0;
  std::uint64_t collected = 0;
  std::uint64_t delivered = 0;
  std::uint64_t resent = 0;
  DroppedByReason dropped;
  std::vector<PendingRange> pending;

  // Its ranges are in order and its counts add up.
  bool consistent() const;
};

std::string encode(const CursorSlot& slot);
HeaderState decode(std::string_view bytes, CursorSlot& slot);

// The file of a reader's cursor: bytes that do not fit into a file name are written as %XX.
std::string cursor_name(std::string_view reader);
std::optional<std::string> reader_of_cursor_name(std::string_view file_name);

}  // namespace virtmeter
