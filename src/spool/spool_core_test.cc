#include "spool/spool_core.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "spool/recovery.h"

namespace virtmeter {
namespace {

struct Core {
  explicit Core(SpoolOptions options) : core(std::move(options), {"a", "b"}, files, clock) {}
  ManualClock clock;
  MemoryFileSystem files;
  SpoolCore core;
};

TEST(SpoolCore, MakesItsBoundsFitEachOther) {
  SpoolOptions options;
  options.memory_lines = 5;
  options.batch_lines = 100;
  options.max_bytes = 80'000;
  Core core(options);
  EXPECT_EQ(core.core.options.batch_lines, 5u);
  EXPECT_EQ(core.core.options.segment_bytes, 10'000u);
}

TEST(SpoolCore, NumbersLinesAboveAllThatAnUnreadFolderMayHold) {
  SpoolOptions options;
  options.folder = "/d";
  Core core(options);
  EXPECT_EQ(core.core.get_status().end_line, 1'700'000'000'000'000u);
  Recovered found;
  found.end_line = 70;
  ASSERT_TRUE(core.core.adopt(found));
  EXPECT_EQ(core.core.get_status().end_line, 70u);
}

TEST(SpoolCore, RefusesAFolderWhoseNumbersWereGivenAgain) {
  SpoolOptions options;
  options.folder = "/d";
  Core core(options);
  core.core.append("x\n", 1, WallTime{});
  Recovered found;
  found.end_line = 1'800'000'000'000'000;
  EXPECT_FALSE(core.core.adopt(found));
  found.end_line = 10;
  EXPECT_TRUE(core.core.adopt(found));
}

TEST(SpoolCore, CountsWhatCursorsKnowAndNoSegmentHas) {
  SpoolOptions options;
  options.folder = "/d";
  Core core(options);
  Recovered found;
  found.end_line = 100;
  found.segments.resize(1);
  found.segments[0].begin = 40;
  found.segments[0].end = 90;
  CursorSlot slot;
  slot.end_line = slot.collected = 100;
  slot.delivered = 20;
  slot.pending = {{20, 100, 0}};
  found.cursors = {slot, std::nullopt};
  ASSERT_TRUE(core.core.adopt(found));
  const MutexLock lock(core.core.mutex);
  const ReaderCounts known = core.core.readers[0]->counts();
  EXPECT_EQ(known.dropped[DropReason::missing], 30u);
  EXPECT_EQ(known.waiting, 50u);
  EXPECT_TRUE(known.conserved());
  const ReaderCounts fresh = core.core.readers[1]->counts();
  EXPECT_EQ(fresh.collected, 50u);
  EXPECT_EQ(fresh.waiting, 50u);
}

}  // namespace
}  // namespace virtmeter
