// What the tests of Delivery share: options that make a run repeatable, the sum that must always hold, and
// what was logged. For tests only.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "sink/delivery.h"
#include "sink/test_lines.h"
#include "spool/spool.h"

namespace virtmeter {

// A spool in memory with one reader, which hands out batches of at most `batch_lines`.
class TestSpool {
 public:
  TestSpool(std::uint64_t batch_lines, const Clock& clock) : clock_(clock) {
    SpoolOptions options;
    options.batch_lines = batch_lines;
    spool_ = Spool::open(options, {"influx"}, system_files(), clock).value();
  }

  SpoolReader& reader() { return spool_->reader("influx"); }
  void append(std::string_view lines, std::uint64_t count) {
    spool_->append(lines, count, clock_.wall_now());
  }
  void push(int first, int count) { append(test_lines(first, count), static_cast<std::uint64_t>(count)); }
  void close() { reader().close(); }
  ReaderCounts counts() { return reader().counts(); }

 private:
  const Clock& clock_;
  std::unique_ptr<Spool> spool_;
};

inline DeliveryOptions seeded() {
  DeliveryOptions options;
  options.backoff.seed = 1;
  return options;
}

inline std::uint64_t rejected(const ReaderCounts& counts) { return counts.dropped[DropReason::rejected]; }

inline void expect_conserved(const ReaderCounts& counts) {
  EXPECT_EQ(counts.collected, counts.delivered + counts.waiting + counts.in_flight + counts.dropped.total());
}

inline SendResult verdict(Verdict what, std::string message = "server says no") {
  SendResult result;
  result.verdict = what;
  result.cause = "test";
  result.cost = {1, 10, 5};
  if (what != Verdict::delivered) result.error = {Errc::unavailable, std::move(message), "mend it"};
  return result;
}

// A sink whose answers the test writes; it keeps the lines that it delivered.
class FakeSink final : public Sink {
 public:
  explicit FakeSink(std::function<SendResult(const Batch&)> answer) : answer_(std::move(answer)) {}
  std::string_view name() const override { return "fake"; }
  std::string target() const override { return where; }
  SendResult send(const Batch& batch) override {
    ++sends;
    SendResult result = answer_(batch);
    if (result.verdict == Verdict::delivered) got += batch.bytes;
    return result;
  }
  Status check() override { return Status::ok(); }

  std::string got;
  int sends = 0;
  std::string where = "nowhere";

 private:
  std::function<SendResult(const Batch&)> answer_;
};

// The log's lines while it lives, without time and level.
class LogCapture {
 public:
  LogCapture() {
    std::string folder = (std::filesystem::temp_directory_path() / "virtmeter-delivery-XXXXXX").string();
    CHECK(mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    CHECK(static_cast<bool>(open_log({LogLevel::info, folder_ + "/log"})));
  }
  ~LogCapture() {
    CHECK(static_cast<bool>(open_log({})));
    std::filesystem::remove_all(folder_);
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    std::ifstream file(folder_ + "/log");
    for (std::string line; std::getline(file, line);) lines.push_back(line.substr(line.find(' ') + 1));
    return lines;
  }

 private:
  std::string folder_;
};

}  // namespace virtmeter
