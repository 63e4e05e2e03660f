// A spool over a disk in memory and a clock that tests move: lines are numbered in their text, so that a test
// can say which of them arrived. For tests.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_file_system.h"
#include "spool/spool.h"

namespace virtmeter {

class TestSpool {
 public:
  static constexpr const char* kFolder = "/state/spool";

  TestSpool() {
    EXPECT_TRUE(files.make_folder("/state"));
    options.folder = kFolder;
    options.segment_bytes = 4096;
  }

  void open() {
    auto opened = Spool::open(options, names, files, clock);
    ASSERT_TRUE(opened) << opened.error().message;
    spool = std::move(opened).value();
  }

  // As a kill would end the process.
  void kill() { spool.reset(); }

  void restart() {
    spool->finish();
    kill();
    open();
  }

  static std::string line(std::uint64_t number) {
    return fmt::format("m,vm=v{} value={}i\n", number % 7, number);
  }

  void append(std::uint64_t line_count) {
    std::string lines;
    for (std::uint64_t i = 0; i < line_count; ++i) lines += line(next++);
    spool->append(lines, line_count, clock.wall_now());
  }

  bool append_and_write(std::uint64_t line_count) {
    append(line_count);
    return spool->write_pending();
  }

  SpoolReader& reader() { return spool->reader(names.front()); }

  static std::vector<std::uint64_t> numbers(const Batch& batch) {
    std::vector<std::uint64_t> found;
    for (std::uint64_t i = 0; i < batch.line_count; ++i) {
      const std::string text(line_at(batch, i));
      const std::size_t equals = text.rfind("value=");
      const std::uint64_t number = equals == std::string::npos ? 0 : std::stoull(text.substr(equals + 6));
      EXPECT_EQ(text + "\n", line(number));
      found.push_back(number);
    }
    return found;
  }

  static void acknowledge_all(SpoolReader& reader) {
    const Batch batch = reader.in_flight();
    reader.acknowledge(batch, {.delivered = batch.line_count});
  }

  // Takes and acknowledges until nothing waits.
  static std::vector<std::uint64_t> drain(SpoolReader& reader) {
    std::vector<std::uint64_t> all;
    while (something_waits(reader.counts())) {
      const auto batch = reader.take();
      if (!batch) break;
      for (const std::uint64_t number : numbers(*batch)) all.push_back(number);
      acknowledge_all(reader);
    }
    return all;
  }

  static bool something_waits(const ReaderCounts& counts) { return counts.waiting + counts.backlog > 0; }

  static std::vector<std::uint64_t> from_to(std::uint64_t begin, std::uint64_t end) {
    std::vector<std::uint64_t> all;
    for (; begin < end; ++begin) all.push_back(begin);
    return all;
  }

  std::vector<std::string> segment_paths() const {
    std::vector<std::string> found;
    for (const std::string& path : files.paths())
      if (path.ends_with(".seg") && path.find("quarantine") == std::string::npos) found.push_back(path);
    return found;
  }

  MemoryFileSystem files;
  ManualClock clock;
  SpoolOptions options;
  std::vector<std::string> names{"influx"};
  std::unique_ptr<Spool> spool;
  std::uint64_t next = 0;
};

}  // namespace virtmeter
