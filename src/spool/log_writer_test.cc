#include "spool/log_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/memory_file_system.h"
#include "spool/recovery.h"

namespace virtmeter {
namespace {

using Operation = MemoryFileSystem::Operation;

struct Writer {
  explicit Writer(SpoolOptions options = {})
      : core(with_folder(std::move(options)), {"a"}, files, clock), log(core) {
    EXPECT_TRUE(files.make_folder("/d"));
    EXPECT_TRUE(core.adopt(Recovered{}));
  }
  static SpoolOptions with_folder(SpoolOptions options) {
    options.folder = "/d";
    return options;
  }
  std::vector<Segment> segments() {
    const MutexLock lock(core.mutex);
    return core.segments;
  }

  ManualClock clock;
  MemoryFileSystem files;
  SpoolCore core;
  LogWriter log;
};

TEST(LogWriter, StartsASegmentWithTheFirstLines) {
  Writer writer;
  EXPECT_TRUE(writer.log.write());
  EXPECT_TRUE(writer.segments().empty());
  writer.core.append("a\nb\n", 2, WallTime{5});
  EXPECT_TRUE(writer.log.write());
  ASSERT_EQ(writer.segments().size(), 1u);
  EXPECT_EQ(writer.segments()[0].end, 2u);
  EXPECT_EQ(writer.segments()[0].time_max, WallTime{5});
  EXPECT_TRUE(writer.segments()[0].active);
}

TEST(LogWriter, EndsASegmentByAge) {
  Writer writer;
  writer.core.append("a\n", 1, WallTime{5});
  EXPECT_TRUE(writer.log.write());
  writer.clock.advance(std::chrono::hours(1));
  EXPECT_TRUE(writer.log.write());
  ASSERT_EQ(writer.segments().size(), 1u);
  EXPECT_TRUE(writer.segments()[0].sealed);
}

TEST(LogWriter, WritesAgainWhatAFailedSyncMayHaveLost) {
  Writer writer;
  writer.core.append("a\n", 1, WallTime{5});
  ASSERT_TRUE(writer.log.write());
  writer.core.append("b\n", 1, WallTime{6});
  writer.files.fail({.first = 0, .count = 1, .code = Errc::io, .only = Operation::sync});
  EXPECT_FALSE(writer.log.write());
  ASSERT_EQ(writer.segments().size(), 1u);
  EXPECT_EQ(writer.segments()[0].end, 1u);
  EXPECT_TRUE(writer.log.write());
  ASSERT_EQ(writer.segments().size(), 2u);
  EXPECT_EQ(writer.segments()[1].begin, 1u);
  EXPECT_EQ(writer.segments()[1].end, 2u);
}

TEST(LogWriter, WritesAgainWhatWasInASegmentThatCouldNotBeClosed) {
  SpoolOptions options;
  options.sync = SpoolSync::interval;
  options.sync_interval = std::chrono::hours(24);
  options.segment_bytes = 4096;
  Writer writer(options);
  writer.core.append("a\n", 1, WallTime{5});
  ASSERT_TRUE(writer.log.write());
  // Too many bytes for what is left of the segment.
  std::string line;
  for (std::uint32_t i = 1; i < 8000; ++i) line += static_cast<char>('0' + i * i * 2654435761u / 50'000'000u);
  writer.core.append(line + "\n", 1, WallTime{6});
  writer.files.fail({.first = 0, .count = 1, .code = Errc::io, .only = Operation::sync});
  EXPECT_FALSE(writer.log.write());
  EXPECT_TRUE(writer.log.write());
  ASSERT_EQ(writer.segments().size(), 1u);
  EXPECT_EQ(writer.segments()[0].begin, 0u);
  EXPECT_EQ(writer.segments()[0].end, 2u);
}

TEST(LogWriter, GivesUpASegmentInWhichNothingIsSafe) {
  Writer writer;
  writer.core.append("a\n", 1, WallTime{5});
  writer.files.fail({.first = 1, .count = 1, .code = Errc::io, .only = Operation::write});
  EXPECT_FALSE(writer.log.write());
  EXPECT_TRUE(writer.segments().empty());
  EXPECT_EQ(writer.log.take_leftovers().size(), 1u);
}

}  // namespace
}  // namespace virtmeter
