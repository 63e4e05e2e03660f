// What the tests of Delivery share: options that make a run repeatable, the sum that must always hold, and
// what was logged. For tests only.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/log.h"
#include "sink/delivery.h"
#include "sink/test_lines.h"

namespace virtmeter {

inline LineQueueOptions batches_of(std::uint64_t lines) {
  LineQueueOptions options;
  options.batch_max_lines = lines;
  return options;
}

inline DeliveryOptions seeded() {
  DeliveryOptions options;
  options.backoff.seed = 1;
  return options;
}

inline void push(LineQueue& queue, int first, int count) {
  queue.push(test_lines(first, count), static_cast<std::uint64_t>(count));
}

inline void expect_conserved(const LineCounts& counts) {
  EXPECT_EQ(counts.pushed, counts.delivered + counts.waiting + counts.in_flight + counts.dropped.total());
}

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
