#include "spool/spool_reader.h"

#include <gtest/gtest.h>

#include "spool/test_spool.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SpoolReader, WaitsForAFullBatchOrForItsTime) {
  TestSpool test;
  test.options.batch_lines = 100;
  test.open();
  const BootTime begin = test.clock.boot_now();
  test.append(30);
  test.clock.advance(milliseconds(200));
  test.append(30);
  EXPECT_EQ(test.reader().take()->line_count, 60u);
  EXPECT_EQ(test.clock.boot_now() - begin, seconds(1));
  test.acknowledge_all(test.reader());
  test.append(250);
  EXPECT_EQ(test.reader().take()->line_count, 100u);
  test.acknowledge_all(test.reader());
  EXPECT_EQ(test.reader().take()->line_count, 100u);
  EXPECT_EQ(test.clock.boot_now() - begin, seconds(1));
}

TEST(SpoolReader, GivesABatchInPieces) {
  TestSpool test;
  test.open();
  test.append(10);
  const auto batch = test.reader().take();
  test.reader().acknowledge(first_lines(*batch, 4), {.delivered = 4});
  EXPECT_EQ(test.reader().in_flight().first_line, 4u);
  EXPECT_EQ(test.numbers(test.reader().in_flight()), test.from_to(4, 10));
  test.reader().put_back();
  EXPECT_EQ(test.reader().in_flight().line_count, 0u);
  EXPECT_EQ(test.drain(test.reader()), test.from_to(4, 10));
}

TEST(SpoolReader, EndsAfterCloseWhenNothingIsLeft) {
  TestSpool test;
  test.open();
  test.append(10);
  test.reader().close();
  const BootTime begin = test.clock.boot_now();
  ASSERT_TRUE(test.reader().take());
  test.acknowledge_all(test.reader());
  EXPECT_FALSE(test.reader().take());
  EXPECT_EQ(test.clock.boot_now(), begin) << "without waiting";
}

TEST(SpoolReader, GivesLiveLinesBeforeBacklogAfterAnOutage) {
  TestSpool test;
  test.options.batch_lines = 100;
  test.open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(test.append_and_write(50));
  ASSERT_TRUE(test.reader().take());
  test.reader().put_back();
  test.reader().fall_behind();
  EXPECT_EQ(test.reader().counts().backlog, 950u);
  test.clock.advance(seconds(1));
  EXPECT_EQ(test.numbers(*test.reader().take()), test.from_to(950, 1000));
  test.acknowledge_all(test.reader());
  EXPECT_EQ(test.numbers(*test.reader().take()), test.from_to(0, 100));
  test.acknowledge_all(test.reader());
  test.append(100);
  EXPECT_EQ(test.numbers(*test.reader().take()), test.from_to(1000, 1100));
  test.acknowledge_all(test.reader());
  EXPECT_EQ(test.drain(test.reader()), test.from_to(100, 950));
}

TEST(SpoolReader, DrainsBacklogNoFasterThanItsRate) {
  TestSpool test;
  test.options.batch_lines = 100;
  test.options.drain_lines_per_sec = 50;
  test.open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(test.append_and_write(50));
  test.restart();
  const BootTime begin = test.clock.boot_now();
  EXPECT_EQ(test.drain(test.reader()).size(), 1000u);
  const auto elapsed = test.clock.boot_now() - begin;
  EXPECT_GE(elapsed, seconds(15));
  EXPECT_LE(elapsed, seconds(20));
}

TEST(SpoolReader, PassesOverASegmentThatCannotBeOpenedAndComesBackToIt) {
  TestSpool test;
  test.open();
  ASSERT_TRUE(test.append_and_write(10));
  test.restart();
  ASSERT_TRUE(test.append_and_write(10));
  test.restart();
  test.files.fail(
      {.first = 0, .count = 5, .code = Errc::permission, .only = MemoryFileSystem::Operation::open});
  EXPECT_EQ(test.numbers(*test.reader().take()), test.from_to(10, 20));
  test.acknowledge_all(test.reader());
  EXPECT_EQ(test.drain(test.reader()), test.from_to(0, 10));
  EXPECT_EQ(test.reader().counts().dropped.total(), 0u);
}

TEST(SpoolReader, ReplaysFromDiskAndFromMemory) {
  for (const bool on_disk : {true, false}) {
    TestSpool test;
    if (!on_disk) test.options.folder.clear();
    test.open();
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(test.append_and_write(10));
      EXPECT_EQ(test.drain(test.reader()).size(), 10u);
      test.clock.advance(seconds(4));
    }
    EXPECT_EQ(test.reader().replay(seconds(15)), 40u);
    EXPECT_EQ(test.drain(test.reader()), test.from_to(10, 50));
    const ReaderCounts counts = test.reader().counts();
    EXPECT_EQ(counts.delivered, 50u);
    EXPECT_EQ(counts.resent, 40u);
    EXPECT_TRUE(counts.conserved());
  }
}

// The database took its last lines, went, and comes back after hours: what it lost is older than any hold.
TEST(SpoolReader, ReplaysAfterALongOutage) {
  for (const bool on_disk : {true, false}) {
    TestSpool test;
    if (!on_disk) test.options.folder.clear();
    test.open();
    ASSERT_TRUE(test.append_and_write(10));
    EXPECT_EQ(test.drain(test.reader()).size(), 10u);
    for (int i = 0; i < 5; ++i) {
      test.clock.advance(std::chrono::hours(1));
      ASSERT_TRUE(test.append_and_write(10));
    }
    EXPECT_EQ(test.reader().replay(seconds(15)), 10u) << on_disk;
    EXPECT_EQ(test.drain(test.reader()).size(), 60u) << on_disk;
    EXPECT_EQ(test.reader().counts().delivered, 60u) << on_disk;
    EXPECT_EQ(test.reader().counts().resent, 10u) << on_disk;
    EXPECT_TRUE(test.reader().counts().conserved());
  }
}

TEST(SpoolReader, AReplayOutlivesARestart) {
  TestSpool test;
  test.open();
  ASSERT_TRUE(test.append_and_write(10));
  test.drain(test.reader());
  EXPECT_EQ(test.reader().replay(seconds(15)), 10u);
  test.restart();
  EXPECT_EQ(test.reader().counts().waiting, 0u);
  EXPECT_EQ(test.drain(test.reader()), test.from_to(0, 10));
  EXPECT_EQ(test.reader().counts().delivered, 10u);
}

TEST(SpoolReader, TellsHowOldAndHowMuchWaits) {
  TestSpool test;
  test.open();
  const WallTime first = test.clock.wall_now();
  ASSERT_TRUE(test.append_and_write(10));
  test.clock.advance(seconds(60));
  ASSERT_TRUE(test.append_and_write(10));
  EXPECT_EQ(test.reader().counts().oldest_waiting, first);
  EXPECT_GT(test.reader().counts().waiting_bytes, 300u);
  test.restart();
  EXPECT_EQ(test.reader().counts().oldest_waiting, first);
  EXPECT_GT(test.reader().counts().waiting_bytes, 50u);
  test.drain(test.reader());
  EXPECT_FALSE(test.reader().counts().oldest_waiting);
  EXPECT_EQ(test.reader().counts().waiting_bytes, 0u);
}

TEST(SpoolReader, HandsOutEvictedLinesThatFlyAndThenNoMore) {
  TestSpool test;
  test.options.folder.clear();
  test.options.memory_lines = 20;
  test.options.batch_lines = 10;
  test.open();
  test.append(10);
  ASSERT_TRUE(test.reader().take());
  test.append(10);
  test.append(15);
  ReaderCounts counts = test.reader().counts();
  EXPECT_TRUE(counts.conserved());
  EXPECT_EQ(counts.in_flight, 10u);
  EXPECT_EQ(test.numbers(test.reader().in_flight()), test.from_to(0, 10));
  test.reader().put_back();
  counts = test.reader().counts();
  EXPECT_TRUE(counts.conserved());
  EXPECT_EQ(counts.waiting, 20u);
  EXPECT_EQ(counts.dropped[DropReason::memory], 15u);
}

}  // namespace
}  // namespace virtmeter
