#include "base/log.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace virtmeter {
namespace {

using std::chrono::minutes;

TEST(WarningLimiter, TellsTheFirstAndThenOneAnHourWithTheCount) {
  WarningLimiter limiter;
  const BootTime start{};
  EXPECT_EQ(limiter.admit("vnet0: no such device", start), 1u);
  EXPECT_EQ(limiter.admit("vnet0: no such device", start + minutes(5)), 0u);
  EXPECT_EQ(limiter.admit("vnet0: no such device", start + minutes(59)), 0u);
  EXPECT_EQ(limiter.admit("vnet1: no such device", start + minutes(59)), 1u);
  EXPECT_EQ(limiter.admit("vnet0: no such device", start + minutes(60)), 3u);
  EXPECT_EQ(limiter.admit("vnet0: no such device", start + minutes(61)), 0u);
}

TEST(WarningLimiter, RemembersABoundedNumberOfCauses) {
  WarningLimiter limiter;
  for (std::size_t i = 0; i < 2 * WarningLimiter::kCausesMax; ++i) {
    EXPECT_EQ(limiter.admit(std::to_string(i), BootTime{} + minutes(static_cast<long>(i))), 1u);
  }
}

TEST(Log, WritesItsLinesToTheNamedFile) {
  char folder[] = "/tmp/virtmeter-log-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string file = std::string(folder) + "/virtmeter.log";
  ASSERT_TRUE(open_log({LogLevel::warning, file}));
  log_info("not shown at level {}", "warning");
  log_warning("vm {}: no answer", "db-01");
  ASSERT_TRUE(open_log({}));

  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  EXPECT_NE(text.str().find(" warning vm db-01: no answer\n"), std::string::npos) << text.str();
  EXPECT_EQ(text.str().find("not shown"), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST(LimitedLog, TellsARepeatedCauseWithItsCount) {
  ManualClock clock;
  LimitedLog log(clock);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) log.warn("vnet0", "vm db-01: device vnet0: no answer");
  clock.advance(std::chrono::hours(1));
  log.warn("vnet0", "vm db-01: device vnet0: no answer");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("device vnet0: no answer\n"), std::string::npos) << text;
  EXPECT_NE(text.find("device vnet0: no answer (5 times since it was last told)\n"), std::string::npos)
      << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(Log, StaysAsItWasWhenTheFileCannotBeOpened) {
  ASSERT_TRUE(open_log({LogLevel::error, ""}));
  EXPECT_FALSE(open_log({LogLevel::debug, "/proc/nowhere/virtmeter.log"}));
  EXPECT_FALSE(log_enabled(LogLevel::warning));
  ASSERT_TRUE(open_log({}));
  EXPECT_TRUE(log_enabled(LogLevel::info));
}

TEST(Log, ChangesItsOutputsWhileOthersWrite) {
  char folder[] = "/tmp/virtmeter-log-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string file = std::string(folder) + "/virtmeter.log";
  ASSERT_TRUE(open_log({LogLevel::error, ""}));
  std::atomic<bool> done = false;
  std::thread writer([&] {
    while (!done) log_info("to nobody, or to the file");
  });
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(open_log({LogLevel::error, i % 2 == 0 ? file : ""}));
  done = true;
  writer.join();
  ASSERT_TRUE(open_log({}));
  std::filesystem::remove_all(folder);
}

TEST(Log, NamesTheFileItCannotOpen) {
  const Status status = open_log({LogLevel::info, "/proc/nowhere/virtmeter.log"});
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("/proc/nowhere/virtmeter.log"), std::string::npos);
  EXPECT_TRUE(open_log({}));
}

}  // namespace
}  // namespace virtmeter
