#include "spool/record_codec.h"

#include <zstd.h>

#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"

namespace virtmeter {
namespace {

constexpr int kLevel = 1;

bool holds_lines(std::string_view bytes, std::uint64_t line_count) {
  if (bytes.empty() || bytes.back() != '\n') return false;
  return static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n')) == line_count;
}

}  // namespace

RecordEncoder::RecordEncoder() : context_(ZSTD_createCCtx()) { CHECK(context_ != nullptr); }

RecordEncoder::~RecordEncoder() { ZSTD_freeCCtx(context_); }

void RecordEncoder::append(const Lines& lines, std::string& out) {
  CHECK(lines.bytes.size() <= SpoolOptions::kBatchBytesMax && lines.line_count <= lines.bytes.size());
  const std::size_t begin = out.size();
  const std::size_t payload_at = begin + kRecordHeaderBytes;
  out.resize(payload_at + ZSTD_compressBound(lines.bytes.size()));
  std::size_t stored = ZSTD_compressCCtx(context_, out.data() + payload_at, out.size() - payload_at,
                                         lines.bytes.data(), lines.bytes.size(), kLevel);
  RecordHeader header;
  header.codec = Codec::zstd;
  // Not worth the work of unpacking below a sixteenth; an error is a number above every size.
  if (ZSTD_isError(stored) != 0 || stored > lines.bytes.size() - lines.bytes.size() / 16) {
    header.codec = Codec::raw;
    stored = lines.bytes.copy(out.data() + payload_at, lines.bytes.size());
  }
  header.stored_bytes = static_cast<std::uint32_t>(stored);
  header.raw_bytes = static_cast<std::uint32_t>(lines.bytes.size());
  header.line_count = static_cast<std::uint32_t>(lines.line_count);
  header.first_line = lines.first_line;
  header.time_ns = lines.time.unix_ns;
  header.payload_crc = crc32c({out.data() + payload_at, stored});
  encode(header, out.data() + begin);
  out.resize(payload_at + stored);
  out.resize(begin + header.size(), '\0');
}

RecordDecoder::RecordDecoder() : context_(ZSTD_createDCtx()) { CHECK(context_ != nullptr); }

RecordDecoder::~RecordDecoder() { ZSTD_freeDCtx(context_); }

bool RecordDecoder::decode(const RecordHeader& header, std::string_view payload, std::string& lines) {
  lines.clear();
  if (header.type != RecordType::lines || payload.size() < header.stored_bytes) return false;
  payload = payload.substr(0, header.stored_bytes);
  if (crc32c(payload) != header.payload_crc) return false;
  if (header.codec == Codec::raw) {
    if (header.raw_bytes != header.stored_bytes) return false;
    lines.assign(payload);
  } else {
    lines.resize(header.raw_bytes);
    const std::size_t size =
        ZSTD_decompressDCtx(context_, lines.data(), lines.size(), payload.data(), payload.size());
    if (ZSTD_isError(size) != 0 || size != header.raw_bytes) {
      lines.clear();
      return false;
    }
  }
  if (holds_lines(lines, header.line_count)) return true;
  lines.clear();
  return false;
}

}  // namespace virtmeter
