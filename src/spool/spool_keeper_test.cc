#include "spool/spool_keeper.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "spool/format.h"
#include "spool/recovery.h"

namespace virtmeter {
namespace {

struct Keeper {
  Keeper() : core(options(), {"a"}, files, clock), keeper(core) {
    EXPECT_TRUE(files.make_folder("/d"));
    Recovered found;
    found.cursors.resize(1);
    for (std::uint64_t i = 0; i < 3; ++i) {
      Segment segment;
      segment.name = segment_name(10 * i, i + 1);
      segment.begin = 10 * i;
      segment.end = segment.begin + 10;
      segment.bytes = 400;
      segment.time_min = segment.time_max = clock.wall_now();
      files.put("/d/" + segment.name, std::string(400, 'x'));
      found.segments.push_back(segment);
    }
    found.end_line = 30;
    EXPECT_TRUE(core.adopt(found));
    keeper.open_cursors(found, {"a"});
  }
  static SpoolOptions options() {
    SpoolOptions options;
    options.folder = "/d";
    options.max_bytes = 1000;
    return options;
  }
  ReaderCounts counts() {
    const MutexLock lock(core.mutex);
    return core.readers[0]->counts();
  }

  ManualClock clock;
  MemoryFileSystem files;
  SpoolCore core;
  SpoolKeeper keeper;
};

TEST(SpoolKeeper, EvictsTheOldestOverTheCapAndSavesTheLossFirst) {
  Keeper keeper;
  EXPECT_TRUE(keeper.keeper.enforce_caps());
  EXPECT_EQ(keeper.counts().dropped[DropReason::evicted], 10u);
  EXPECT_EQ(keeper.files.bytes_of("/d/" + segment_name(0, 1)), nullptr);
  EXPECT_NE(keeper.files.bytes_of("/d/" + segment_name(10, 2)), nullptr);
  EXPECT_EQ(read_cursor(keeper.files, "/d/a.cursor").value().slot.dropped[DropReason::evicted], 10u);
}

TEST(SpoolKeeper, RemovesWhatIsDoneWithOnlyAfterItWasSaved) {
  Keeper keeper;
  ASSERT_TRUE(keeper.keeper.save_cursors(SpoolKeeper::When::now));
  {
    const MutexLock lock(keeper.core.mutex);
    keeper.core.drop_for_all(0, 30, DropReason::rejected);
  }
  keeper.files.fail(
      {.first = 0, .count = UINT64_MAX, .code = Errc::io, .only = MemoryFileSystem::Operation::write});
  keeper.clock.advance(std::chrono::seconds(60));
  EXPECT_FALSE(keeper.keeper.save_cursors(SpoolKeeper::When::due));
  keeper.clock.advance(std::chrono::seconds(60));
  keeper.keeper.remove_done();
  EXPECT_EQ(keeper.core.get_status().segments, 3u);
  keeper.files.heal();
  EXPECT_TRUE(keeper.keeper.save_cursors(SpoolKeeper::When::due));
  keeper.clock.advance(std::chrono::seconds(15));
  keeper.keeper.remove_done();
  EXPECT_EQ(keeper.core.get_status().segments, 0u);
}

TEST(SpoolKeeper, SavesAtMostOnceASecondAndOnlyWhatChanged) {
  Keeper keeper;
  ASSERT_TRUE(keeper.keeper.save_cursors(SpoolKeeper::When::due));
  const std::uint64_t operations = keeper.files.operations();
  keeper.core.append("x\n", 1, WallTime{});
  EXPECT_TRUE(keeper.keeper.save_cursors(SpoolKeeper::When::due));
  EXPECT_EQ(keeper.files.operations(), operations);
  keeper.clock.advance(std::chrono::seconds(1));
  EXPECT_TRUE(keeper.keeper.save_cursors(SpoolKeeper::When::due));
  EXPECT_EQ(keeper.files.operations(), operations + 2);
  EXPECT_TRUE(keeper.keeper.save_cursors(SpoolKeeper::When::now));
  EXPECT_EQ(keeper.files.operations(), operations + 2);
}

TEST(SpoolKeeper, TriesAgainToRemoveAFile) {
  Keeper keeper;
  keeper.files.fail(
      {.first = 0, .count = 1, .code = Errc::io, .only = MemoryFileSystem::Operation::change_name});
  EXPECT_TRUE(keeper.keeper.evict_oldest(DropReason::evicted));
  EXPECT_NE(keeper.files.bytes_of("/d/" + segment_name(0, 1)), nullptr);
  keeper.keeper.remove_done();
  EXPECT_EQ(keeper.files.bytes_of("/d/" + segment_name(0, 1)), nullptr);
}

}  // namespace
}  // namespace virtmeter
