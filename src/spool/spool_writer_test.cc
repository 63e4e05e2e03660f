#include "spool/spool_writer.h"

#include <gtest/gtest.h>

#include <unistd.h>
#include <string>
#include "base/memory_file_system.h"

namespace virtmeter {
namespace {

struct Writer {
  Writer() : core(options(), {"a"}, files, clock), writer(core, {"a"}) {
    EXPECT_TRUE(files.make_folder("/state"));
  }
  static SpoolOptions options() {
    SpoolOptions options;
    options.folder = "/state/spool";
    return options;
  }

  ManualClock clock;
  MemoryFileSystem files;
  SpoolCore core;
  SpoolWriter writer;
};

TEST(SpoolWriter, WaitsNoLongerThanASecond) {
  Writer writer;
  ASSERT_TRUE(writer.writer.open());
  ASSERT_TRUE(writer.writer.round());
  const BootTime begin = writer.clock.boot_now();
  EXPECT_TRUE(writer.writer.wait_for_work());
  EXPECT_EQ(writer.clock.boot_now() - begin, std::chrono::seconds(1));
  writer.core.append("x\n", 1, WallTime{});
  EXPECT_TRUE(writer.writer.wait_for_work());
  EXPECT_EQ(writer.clock.boot_now() - begin, std::chrono::seconds(1));
}

TEST(SpoolWriter, DoesNotSpinWhileTheDiskFails) {
  Writer writer;
  writer.files.fail({.first = 0, .count = UINT64_MAX});
  ASSERT_TRUE(writer.writer.open());
  writer.core.append("x\n", 1, WallTime{});
  EXPECT_FALSE(writer.writer.round());
  const BootTime begin = writer.clock.boot_now();
  EXPECT_TRUE(writer.writer.wait_for_work());
  EXPECT_EQ(writer.clock.boot_now() - begin, std::chrono::seconds(1));
  EXPECT_TRUE(writer.core.get_status().failing_since);
  writer.files.heal();
  EXPECT_TRUE(writer.writer.round());
  EXPECT_FALSE(writer.core.get_status().failing_since);
}

TEST(SpoolWriter, TakesALockThatOnlyItHolds) {
  Writer writer;
  ASSERT_TRUE(writer.writer.open());
  SpoolCore other(Writer::options(), {"a"}, writer.files, writer.clock);
  SpoolWriter second(other, {"a"});
  const Status status = second.open();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "spool /state/spool: in use by process " + std::to_string(::getpid()));
}

}  // namespace
}  // namespace virtmeter
