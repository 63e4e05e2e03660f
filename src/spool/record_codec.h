// RecordEncoder and RecordDecoder: lines to records and back, with zstd where it pays. What is decoded is
// complete lines of exactly the number that the header says, or nothing. Each keeps its buffers. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "spool/format.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace virtmeter {

class RecordEncoder {
 public:
  RecordEncoder();
  ~RecordEncoder();
  RecordEncoder(const RecordEncoder&) = delete;
  RecordEncoder& operator=(const RecordEncoder&) = delete;

  struct Lines {
    std::string_view bytes;
    std::uint64_t line_count = 0;
    std::uint64_t first_line = 0;
    WallTime time;
  };

  // Appends the whole record: header, payload, padding.
  void append(const Lines& lines, std::string& out);

 private:
  ZSTD_CCtx_s* const context_;
};

class RecordDecoder {
 public:
  RecordDecoder();
  ~RecordDecoder();
  RecordDecoder(const RecordDecoder&) = delete;
  RecordDecoder& operator=(const RecordDecoder&) = delete;

  // Sets `lines`, whose buffer is kept; false: the payload does not hold what the header says.
  bool decode(const RecordHeader& header, std::string_view payload, std::string& lines);

 private:
  ZSTD_DCtx_s* const context_;
};

}  // namespace virtmeter
