// Any bytes as the files of a spool's folder: starting on them, reading them and going on ends, loses count
// of no line and never crashes. The input is files: a kind ('s' segment, 'c' cursor, other: a foreign one), a
// byte that makes the name, a size in two bytes, the content. A kind in capitals gets good checksums, so that
// what is behind them is reached.
#include <chrono>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/memory_file_system.h"
#include "input.h"
#include "spool/format.h"
#include "spool/inspect.h"
#include "spool/spool.h"

namespace virtmeter {
namespace {

constexpr std::size_t kFilesMax = 8;

void put_crc(std::string& bytes, std::size_t at, std::size_t from, std::size_t size) {
  if (bytes.size() < from + size || bytes.size() < at + 4) return;
  const std::uint32_t crc = crc32c(std::string_view(bytes).substr(from, size));
  std::memcpy(bytes.data() + at, &crc, sizeof crc);
}

// Makes headers and payloads good where records seem to begin.
void mend_segment(std::string& bytes) {
  put_crc(bytes, 60, 0, 60);
  std::size_t at = kSegmentHeaderBytes;
  while (at + kRecordHeaderBytes <= bytes.size()) {
    std::memcpy(bytes.data() + at, &kRecordMagic, sizeof kRecordMagic);
    std::uint32_t stored = 0;
    std::memcpy(&stored, bytes.data() + at + 12, sizeof stored);
    stored %= 4096;
    std::memcpy(bytes.data() + at + 12, &stored, sizeof stored);
    put_crc(bytes, at + 8, at + kRecordHeaderBytes, stored);
    put_crc(bytes, at + 4, at + 8, kRecordHeaderBytes - 8);
    at += (kRecordHeaderBytes + stored + 7) / 8 * 8;
  }
}

void put_file(MemoryFileSystem& files, char kind, unsigned char name, std::string bytes) {
  const std::string folder = "/state/spool/";
  switch (kind) {
    case 'S':
      mend_segment(bytes);
      [[fallthrough]];
    case 's':
      files.put(folder + segment_name(name / 4 * 10, name % 4), std::move(bytes));
      return;
    case 'C':
      for (std::size_t slot = 0; slot < kCursorSlots; ++slot)
        put_crc(bytes, (slot + 1) * kCursorSlotBytes - 4, slot * kCursorSlotBytes, kCursorSlotBytes - 4);
      [[fallthrough]];
    case 'c':
      files.put(folder + cursor_name(name % 2 == 0 ? "a" : "b"), std::move(bytes));
      return;
    default:
      files.put(folder + "foreign" + std::to_string(name), std::move(bytes));
  }
}

void put_files(MemoryFileSystem& files, std::string_view input) {
  for (std::size_t i = 0; i < kFilesMax && input.size() >= 4; ++i) {
    const char kind = input[0];
    const auto name = static_cast<unsigned char>(input[1]);
    const std::size_t size =
        static_cast<unsigned char>(input[2]) + std::size_t{256} * static_cast<unsigned char>(input[3]);
    input.remove_prefix(4);
    std::string bytes(input.substr(0, size));
    input.remove_prefix(bytes.size());
    // A cursor's two slots are long; one of few bytes is filled up.
    if (kind == 'C' && bytes.size() < kCursorSlots * kCursorSlotBytes)
      bytes.resize(kCursorSlots * kCursorSlotBytes);
    put_file(files, kind, name, std::move(bytes));
  }
}

void drain(SpoolReader& reader) {
  reader.close();
  while (const auto batch = reader.take()) {
    CHECK(batch->line_count > 0 && batch->bytes.back() == '\n');
    CHECK(end_of_lines(batch->bytes, batch->line_count) == batch->bytes.size());
    reader.acknowledge(*batch, {.delivered = batch->line_count});
    CHECK(reader.counts().conserved());
  }
  CHECK(reader.counts().waiting == 0);
}

void check_spool(std::string_view input) {
  MemoryFileSystem files;
  CHECK(files.make_folder("/state"));
  CHECK(files.make_folder("/state/spool"));
  put_files(files, input);
  const Result<SpoolReport> report = inspect_spool("/state/spool", files);
  CHECK(report);
  const ManualClock clock;
  SpoolOptions options;
  options.folder = "/state/spool";
  options.max_age = std::chrono::hours(24 * 365 * 200);
  for (int start = 0; start < 2; ++start) {
    auto spool = Spool::open(options, {"a", "b"}, files, clock);
    CHECK(spool);
    for (const char* name : {"a", "b"}) CHECK(spool.value()->reader(name).counts().conserved());
    spool.value()->append("x v=1\n", 1, clock.wall_now());
    CHECK(spool.value()->write_pending());
    drain(spool.value()->reader("a"));
    spool.value()->finish();
    for (const char* name : {"a", "b"}) CHECK(spool.value()->reader(name).counts().conserved());
  }
}

}  // namespace
}  // namespace virtmeter

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // Each input has something to complain about.
  CHECK(virtmeter::open_log({virtmeter::LogLevel::error, ""}));
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  virtmeter::check_spool(virtmeter::fuzz::text_of(data, size));
  return 0;
}
