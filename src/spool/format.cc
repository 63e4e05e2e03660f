#include "spool/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/crc32c.h"

namespace virtmeter {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

constexpr std::string_view kSegmentMagic = "VMSPOOL\n";
constexpr std::string_view kCursorMagic = "VMCURSOR";
constexpr std::size_t kSegmentCrcAt = 60;
constexpr std::size_t kRecordCrcAt = 4;
constexpr std::size_t kRecordCheckedFrom = 8;
constexpr std::size_t kCursorDroppedAt = 56;
constexpr std::size_t kCursorRangesAt = 256;
constexpr std::size_t kCursorCrcAt = kCursorSlotBytes - 4;
constexpr std::size_t kRangeBytes = 24;
constexpr std::string_view kSegmentSuffix = ".seg";
constexpr std::string_view kCursorSuffix = ".cursor";
constexpr std::size_t kCursorNameBytesMax = 200;

static_assert(kCursorRangesAt + PendingRanges::kMax * kRangeBytes <= kCursorCrcAt);

template <typename Number>
void put(char* bytes, std::size_t at, Number value) {
  std::memcpy(bytes + at, &value, sizeof value);
}

template <typename Number>
Number get(std::string_view bytes, std::size_t at) {
  Number value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// Magic and version first: they say what a damaged or foreign checksum cannot.
HeaderState check(std::string_view bytes, std::string_view magic, std::size_t crc_at) {
  if (bytes.size() < crc_at + 4 || bytes.substr(0, magic.size()) != magic) return HeaderState::damaged;
  const bool intact = get<std::uint32_t>(bytes, crc_at) == crc32c(bytes.substr(0, crc_at));
  if (!intact) return HeaderState::damaged;
  const auto version = get<std::uint32_t>(bytes, 8);
  if (version > kSpoolFormatVersion) return HeaderState::newer;
  return version == kSpoolFormatVersion ? HeaderState::good : HeaderState::damaged;
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
  }
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

bool fits_into_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

std::string encode(const SegmentHeader& header) {
  std::string bytes(kSegmentHeaderBytes, '\0');
  bytes.replace(0, kSegmentMagic.size(), kSegmentMagic);
  put(bytes.data(), 8, kSpoolFormatVersion);
  put(bytes.data(), 16, header.ordinal);
  put(bytes.data(), 24, header.first_line);
  put(bytes.data(), 32, header.created_wall_ns);
  put(bytes.data(), 40, header.created_boot_ns);
  put(bytes.data(), kSegmentCrcAt, crc32c(std::string_view(bytes).substr(0, kSegmentCrcAt)));
  return bytes;
}

HeaderState decode(std::string_view bytes, SegmentHeader& header) {
  const HeaderState state = check(bytes.substr(0, kSegmentHeaderBytes), kSegmentMagic, kSegmentCrcAt);
  if (state != HeaderState::good) return state;
  header.ordinal = get<std::uint64_t>(bytes, 16);
  header.first_line = get<std::uint64_t>(bytes, 24);
  header.created_wall_ns = get<std::int64_t>(bytes, 32);
  header.created_boot_ns = get<std::int64_t>(bytes, 40);
  return header.first_line <= kLineNumberMax ? HeaderState::good : HeaderState::damaged;
}

std::string segment_name(std::uint64_t first_line, std::uint64_t ordinal) {
  return fmt::format("{:016x}-{:08x}{}", first_line, ordinal & 0xFFFFFFFF, kSegmentSuffix);
}

std::optional<SegmentName> parse_segment_name(std::string_view name) {
  if (name.size() != 16 + 1 + 8 + kSegmentSuffix.size() || name[16] != '-' ||
      !name.ends_with(kSegmentSuffix)) {
    return std::nullopt;
  }
  const auto first_line = parse_hex(name.substr(0, 16));
  const auto ordinal = parse_hex(name.substr(17, 8));
  if (!first_line || !ordinal || *first_line > kLineNumberMax) return std::nullopt;
  return SegmentName{*first_line, *ordinal};
}

std::uint64_t RecordHeader::size() const {
  constexpr std::uint64_t kMask = kRecordAlignment - 1;
  return (kRecordHeaderBytes + std::uint64_t{stored_bytes} + kMask) & ~kMask;
}

void encode(const RecordHeader& header, char* into) {
  std::memset(into, 0, kRecordHeaderBytes);
  put(into, 0, kRecordMagic);
  put(into, 8, header.payload_crc);
  put(into, 12, header.stored_bytes);
  put(into, 16, header.raw_bytes);
  put(into, 20, header.line_count);
  put(into, 24, header.first_line);
  put(into, 32, header.time_ns);
  put(into, 40, header.codec);
  put(into, 41, header.type);
  const std::string_view checked(into + kRecordCheckedFrom, kRecordHeaderBytes - kRecordCheckedFrom);
  put(into, kRecordCrcAt, crc32c(checked));
}

std::optional<RecordHeader> decode_record_header(std::string_view bytes) {
  if (bytes.size() < kRecordHeaderBytes || get<std::uint32_t>(bytes, 0) != kRecordMagic) return std::nullopt;
  const std::string_view checked = bytes.substr(kRecordCheckedFrom, kRecordHeaderBytes - kRecordCheckedFrom);
  if (get<std::uint32_t>(bytes, kRecordCrcAt) != crc32c(checked)) return std::nullopt;
  RecordHeader header;
  header.payload_crc = get<std::uint32_t>(bytes, 8);
  header.stored_bytes = get<std::uint32_t>(bytes, 12);
  header.raw_bytes = get<std::uint32_t>(bytes, 16);
  header.line_count = get<std::uint32_t>(bytes, 20);
  header.first_line = get<std::uint64_t>(bytes, 24);
  header.time_ns = get<std::int64_t>(bytes, 32);
  header.codec = get<Codec>(bytes, 40);
  header.type = get<RecordType>(bytes, 41);
  if (header.stored_bytes > SpoolOptions::kBatchBytesMax || header.first_line > kLineNumberMax)
    return std::nullopt;
  if (header.type == RecordType::seal) {
    const bool sound = header.stored_bytes == kSealPayloadBytes && header.line_count == 0;
    return sound ? std::optional(header) : std::nullopt;
  }
  const bool sound = header.type == RecordType::lines && header.codec <= Codec::zstd &&
                     header.raw_bytes <= SpoolOptions::kBatchBytesMax && header.line_count > 0 &&
                     header.line_count <= header.raw_bytes;
  return sound ? std::optional(header) : std::nullopt;
}

std::string encode(const Seal& seal, std::uint64_t end_line) {
  std::string bytes(kSealBytes, '\0');
  char* payload = bytes.data() + kRecordHeaderBytes;
  put(payload, 0, seal.line_count);
  put(payload, 8, seal.raw_bytes);
  put(payload, 16, seal.time_min_ns);
  put(payload, 24, seal.time_max_ns);
  RecordHeader header;
  header.type = RecordType::seal;
  header.stored_bytes = kSealPayloadBytes;
  header.raw_bytes = kSealPayloadBytes;
  header.first_line = end_line;
  header.time_ns = seal.time_max_ns;
  header.payload_crc = crc32c({payload, kSealPayloadBytes});
  encode(header, bytes.data());
  return bytes;
}

std::optional<Seal> decode_seal(const RecordHeader& header, std::string_view payload) {
  if (header.type != RecordType::seal || payload.size() < kSealPayloadBytes) return std::nullopt;
  payload = payload.substr(0, kSealPayloadBytes);
  if (crc32c(payload) != header.payload_crc) return std::nullopt;
  return Seal{get<std::uint64_t>(payload, 0), get<std::uint64_t>(payload, 8), get<std::int64_t>(payload, 16),
              get<std::int64_t>(payload, 24)};
}

bool CursorSlot::consistent() const {
  if (end_line > kLineNumberMax || collected > kLineNumberMax) return false;
  std::uint64_t behind = 0;
  std::uint64_t waiting = 0;
  for (const PendingRange& range : pending) {
    if (range.begin < behind || range.end <= range.begin || range.counted > range.lines()) return false;
    behind = range.end;
    waiting += range.uncounted();
  }
  if (behind > end_line) return false;
  // Each number is bounded first, so that damage cannot make the sum come out right by overflow.
  std::uint64_t settled = waiting;
  if (delivered > kLineNumberMax) return false;
  settled += delivered;
  for (const std::uint64_t lines : dropped.lines) {
    if (lines > kLineNumberMax - std::min(settled, kLineNumberMax)) return false;
    settled += lines;
  }
  return settled == collected;
}

std::string encode(const CursorSlot& slot) {
  std::string bytes(kCursorSlotBytes, '\0');
  char* into = bytes.data();
  bytes.replace(0, kCursorMagic.size(), kCursorMagic);
  put(into, 8, kSpoolFormatVersion);
  put(into, 12, static_cast<std::uint32_t>(slot.pending.size()));
  put(into, 16, slot.version);
  put(into, 24, slot.end_line);
  put(into, 32, slot.collected);
  put(into, 40, slot.delivered);
  put(into, 48, slot.resent);
  for (std::size_t i = 0; i < kDropReasons; ++i) put(into, kCursorDroppedAt + 8 * i, slot.dropped.lines[i]);
  put(into, 184, slot.saved_wall_ns);
  for (std::size_t i = 0; i < slot.pending.size() && i < PendingRanges::kMax; ++i) {
    put(into, kCursorRangesAt + kRangeBytes * i, slot.pending[i].begin);
    put(into, kCursorRangesAt + kRangeBytes * i + 8, slot.pending[i].end);
    put(into, kCursorRangesAt + kRangeBytes * i + 16, slot.pending[i].counted);
  }
  put(into, kCursorCrcAt, crc32c({into, kCursorCrcAt}));
  return bytes;
}

HeaderState decode(std::string_view bytes, CursorSlot& slot) {
  const HeaderState state = check(bytes.substr(0, kCursorSlotBytes), kCursorMagic, kCursorCrcAt);
  if (state != HeaderState::good) return state;
  const auto ranges = get<std::uint32_t>(bytes, 12);
  if (ranges > PendingRanges::kMax) return HeaderState::damaged;
  CursorSlot read;
  read.version = get<std::uint64_t>(bytes, 16);
  read.end_line = get<std::uint64_t>(bytes, 24);
  read.collected = get<std::uint64_t>(bytes, 32);
  read.delivered = get<std::uint64_t>(bytes, 40);
  read.resent = get<std::uint64_t>(bytes, 48);
  for (std::size_t i = 0; i < kDropReasons; ++i)
    read.dropped.lines[i] = get<std::uint64_t>(bytes, kCursorDroppedAt + 8 * i);
  read.saved_wall_ns = get<std::int64_t>(bytes, 184);
  for (std::size_t i = 0; i < ranges; ++i) {
    const std::size_t at = kCursorRangesAt + kRangeBytes * i;
    read.pending.push_back({get<std::uint64_t>(bytes, at), get<std::uint64_t>(bytes, at + 8),
                            get<std::uint64_t>(bytes, at + 16)});
  }
  if (!read.consistent()) return HeaderState::damaged;
  slot = std::move(read);
  return HeaderState::good;
}

std::string cursor_name(std::string_view reader) {
  std::string name;
  for (const char c : reader.substr(0, kCursorNameBytesMax / 3)) {
    if (fits_into_a_name(c)) {
      name += c;
    } else {
      name += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
  }
  return name.append(kCursorSuffix);
}

std::optional<std::string> reader_of_cursor_name(std::string_view file_name) {
  if (!file_name.ends_with(kCursorSuffix) || file_name.size() > kCursorNameBytesMax + kCursorSuffix.size())
    return std::nullopt;
  file_name.remove_suffix(kCursorSuffix.size());
  std::string reader;
  while (!file_name.empty()) {
    std::size_t used = 1;
    if (file_name[0] == '%') {
      const auto byte = file_name.size() < 3 ? std::nullopt : parse_hex(file_name.substr(1, 2));
      if (!byte) return std::nullopt;
      reader += static_cast<char>(*byte);
      used = 3;
    } else if (fits_into_a_name(file_name[0])) {
      reader += file_name[0];
    } else {
      return std::nullopt;
    }
    file_name.remove_prefix(used);
  }
  return reader;
}

}  // namespace virtmeter
