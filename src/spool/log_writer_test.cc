#include "spool/log_writer.h"

#include <gtest/gtest.h>

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
