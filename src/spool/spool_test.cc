#include "spool/spool.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "spool/test_spool.h"

namespace virtmeter {
namespace {

using std::chrono::seconds;

TEST(Spool, HandsOutWhatWasAppended) {
  TestSpool test;
  test.open();
  ASSERT_TRUE(test.append_and_write(80));
  EXPECT_EQ(test.drain(test.reader()), test.from_to(0, 80));
  const ReaderCounts counts = test.reader().counts();
  EXPECT_EQ(counts.collected, 80u);
  EXPECT_EQ(counts.delivered, 80u);
  EXPECT_EQ(counts.dropped.total(), 0u);
}

TEST(Spool, HandsOutAfterARestartWhatWasNotAcknowledged) {
  TestSpool test;
  test.open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(test.append_and_write(50));
  const auto batch = test.reader().take();
  ASSERT_TRUE(batch);
  test.reader().acknowledge(first_lines(*batch, 20), {.delivered = 19, .rejected = 1});
  test.reader().put_back();
  test.restart();
  const ReaderCounts counts = test.reader().counts();
  EXPECT_EQ(counts.collected, 500u);
  EXPECT_EQ(counts.delivered, 19u);
  EXPECT_EQ(counts.dropped[DropReason::rejected], 1u);
  EXPECT_EQ(counts.waiting, 480u);
  EXPECT_EQ(test.drain(test.reader()), test.from_to(20, 500));
  EXPECT_TRUE(test.reader().counts().conserved());
}

TEST(Spool, GoesOnNumberingAfterARestart) {
  TestSpool test;
  test.open();
  ASSERT_TRUE(test.append_and_write(50));
  test.restart();
  ASSERT_TRUE(test.append_and_write(50));
  EXPECT_EQ(test.spool->status().end_line, 100u);
  auto all = test.drain(test.reader());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, test.from_to(0, 100));
}

TEST(Spool, WorksWithoutAFolder) {
  TestSpool test;
  test.options.folder.clear();
  test.open();
  test.append(30);
  EXPECT_TRUE(test.spool->write_pending());
  EXPECT_EQ(test.drain(test.reader()), test.from_to(0, 30));
  test.append(5);
  test.spool->finish();
  test.append(2);
  const ReaderCounts counts = test.reader().counts();
  EXPECT_EQ(counts.dropped[DropReason::shutdown], 7u);
  EXPECT_TRUE(counts.conserved());
  EXPECT_EQ(test.files.paths().size(), 0u);
}

TEST(Spool, KeepsTheCountsWhenTheDiskTakesNoMoreLines) {
  TestSpool test;
  test.options.batch_wait = seconds(0);
  test.open();
  ASSERT_TRUE(test.append_and_write(10));
  std::uint64_t used = 0;
  for (const std::string& path : test.files.paths()) used += test.files.bytes_of(path)->size();
  test.files.set_capacity(used);
  EXPECT_FALSE(test.append_and_write(5));
  ASSERT_EQ(test.reader().take()->line_count, 15u);
  const Batch piece = first_lines(test.reader().in_flight(), 4);
  test.reader().acknowledge(piece, {.delivered = 4});
  test.spool->finish();
  test.kill();
  test.files.set_capacity(1 << 20);
  test.open();
  const ReaderCounts counts = test.reader().counts();
  EXPECT_EQ(counts.delivered, 4u);
  EXPECT_EQ(counts.waiting, 6u);
  EXPECT_EQ(counts.dropped[DropReason::shutdown], 5u);
  EXPECT_EQ(counts.dropped.total(), 5u);
  EXPECT_TRUE(counts.conserved());
}

// Until the folder can be read, lines get high numbers; those of the folder go on lower.
TEST(Spool, HandsOutNewLinesAsLiveOnesAfterAFolderThatCameLate) {
  TestSpool test;
  test.files.fail({.first = 0, .count = UINT64_MAX});
  test.open();
  test.reader().close();
  EXPECT_FALSE(test.reader().take());
  test.files.heal();
  ASSERT_TRUE(test.spool->write_pending());
  test.append(10);
  EXPECT_EQ(test.reader().counts().waiting, 10u);
  EXPECT_EQ(test.reader().counts().backlog, 0u);
}

TEST(Spool, TellsEachReaderTheSameLines) {
  TestSpool test;
  test.names = {"influx", "file"};
  test.open();
  ASSERT_TRUE(test.append_and_write(40));
  EXPECT_EQ(test.drain(test.spool->reader("file")), test.from_to(0, 40));
  EXPECT_EQ(test.spool->reader("influx").counts().waiting, 40u);
  test.restart();
  EXPECT_EQ(test.drain(test.spool->reader("influx")), test.from_to(0, 40));
  EXPECT_EQ(test.spool->reader("file").counts().delivered, 40u);
}

TEST(Spool, AppendAndTakeOfLiveLinesNeverTouchTheDisk) {
  TestSpool test;
  test.open();
  ASSERT_TRUE(test.append_and_write(10));
  const std::uint64_t operations = test.files.operations();
  for (int i = 0; i < 100; ++i) test.append(50);
  ASSERT_TRUE(test.reader().take());
  test.acknowledge_all(test.reader());
  EXPECT_EQ(test.files.operations(), operations);
}

TEST(Spool, WritesAndSyncsOnceForEachCycle) {
  TestSpool test;
  test.open();
  ASSERT_TRUE(test.append_and_write(10));
  const std::uint64_t operations = test.files.operations();
  ASSERT_TRUE(test.append_and_write(10));
  // Room asked for, a write and a sync; the cursor's second has not passed.
  EXPECT_EQ(test.files.operations() - operations, 3u);
}

TEST(Spool, KeepsASecondProcessOut) {
  TestSpool test;
  test.open();
  const auto second = Spool::open(test.options, test.names, test.files, test.clock);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::unavailable);
  EXPECT_TRUE(second.error().message.starts_with("spool /state/spool: in use by process "));
  EXPECT_EQ(second.error().fix, "stop the other virtmeter, or give each a state_dir of its own");
  test.kill();
  test.open();
}

TEST(Spool, RemovesWhatAllReadersAreDoneWith) {
  TestSpool test;
  test.names = {"a", "b"};
  test.open();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(test.append_and_write(100));
  ASSERT_GE(test.segment_paths().size(), 3u);
  test.drain(test.spool->reader("a"));
  test.clock.advance(seconds(20));
  test.spool->write_pending();
  test.clock.advance(seconds(20));
  test.spool->write_pending();
  ASSERT_GE(test.segment_paths().size(), 3u);
  test.drain(test.spool->reader("b"));
  test.clock.advance(seconds(2));
  test.spool->write_pending();
  EXPECT_GE(test.segment_paths().size(), 3u) << "they are held for a replay";
  test.clock.advance(seconds(16));
  test.spool->write_pending();
  EXPECT_EQ(test.segment_paths().size(), 1u);
  EXPECT_EQ(test.spool->status().segments, 1u);
}

TEST(Spool, ACursorOfAnotherNameHoldsNothingBack) {
  TestSpool test;
  test.names = {"old"};
  test.open();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(test.append_and_write(100));
  test.spool->finish();
  test.kill();
  test.names = {"new"};
  test.open();
  EXPECT_EQ(test.drain(test.reader()), test.from_to(0, 4000));
  test.spool->write_pending();
  test.clock.advance(seconds(20));
  test.spool->write_pending();
  EXPECT_EQ(test.segment_paths().size(), 0u);
  EXPECT_NE(test.files.bytes_of("/state/spool/old.cursor"), nullptr);
}

TEST(Spool, EvictsTheOldestOverTheByteCap) {
  TestSpool test;
  test.options.max_bytes = 32 << 10;
  test.open();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(test.append_and_write(100));
    test.reader().fall_behind();
  }
  EXPECT_LE(test.spool->status().bytes, (32u << 10) + 4096);
  const ReaderCounts counts = test.reader().counts();
  EXPECT_GT(counts.dropped[DropReason::evicted], 0u);
  EXPECT_EQ(counts.dropped.total(), counts.dropped[DropReason::evicted]);
  EXPECT_TRUE(counts.conserved());
  auto all = test.drain(test.reader());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, test.from_to(counts.dropped[DropReason::evicted], 20'000));
}

TEST(Spool, EvictsByAge) {
  TestSpool test;
  test.options.max_age = std::chrono::hours(1);
  test.options.segment_age = std::chrono::minutes(10);
  test.open();
  ASSERT_TRUE(test.append_and_write(100));
  test.reader().fall_behind();
  test.clock.advance(std::chrono::minutes(50));
  ASSERT_TRUE(test.append_and_write(100));
  test.reader().fall_behind();
  test.clock.advance(std::chrono::minutes(20));
  ASSERT_TRUE(test.append_and_write(100));
  EXPECT_EQ(test.reader().counts().dropped[DropReason::expired], 100u);
  EXPECT_EQ(test.reader().counts().waiting, 200u);
}

TEST(Spool, KeepsSpaceFree) {
  TestSpool test;
  test.files.set_capacity(1 << 20);
  test.open();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(test.append_and_write(100));
  test.restart();
  test.files.put("/state/other", std::string(900 << 10, 'x'));
  EXPECT_TRUE(test.append_and_write(10));
  const std::uint64_t lost = test.reader().counts().dropped[DropReason::disk_space];
  EXPECT_GT(lost, 0u);
  test.files.put("/state/other", std::string(1000 << 10, 'x'));
  EXPECT_FALSE(test.append_and_write(10));
  EXPECT_TRUE(test.spool->status().failing_since);
  EXPECT_EQ(test.spool->status().last_error->code, Errc::limit);
  test.files.put("/state/other", "");
  EXPECT_TRUE(test.append_and_write(10));
  EXPECT_FALSE(test.spool->status().failing_since);
  auto all = test.drain(test.reader());
  EXPECT_TRUE(test.reader().counts().conserved());
  EXPECT_EQ(all.size() + test.reader().counts().dropped.total(), 10'030u);
}

TEST(Spool, GoesOnInMemoryWhenTheDiskIsFullAndWritesWhenThereIsSpace) {
  TestSpool test;
  test.open();
  ASSERT_TRUE(test.append_and_write(100));
  test.files.fail(
      {.first = 0, .count = UINT64_MAX, .code = Errc::limit, .only = MemoryFileSystem::Operation::write});
  EXPECT_FALSE(test.append_and_write(100));
  EXPECT_FALSE(test.append_and_write(100));
  // The first 100, too: their segment was evicted to make room.
  EXPECT_EQ(test.spool->status().unwritten_lines, 300u);
  auto all = test.drain(test.reader());
  EXPECT_EQ(all, test.from_to(0, 300));
  test.append(50);
  test.files.heal();
  EXPECT_TRUE(test.spool->write_pending());
  EXPECT_EQ(test.spool->status().unwritten_lines, 0u);
  test.kill();
  test.open();
  EXPECT_TRUE(test.reader().counts().conserved());
  all = test.drain(test.reader());
  EXPECT_EQ(std::vector<std::uint64_t>(all.end() - 50, all.end()), test.from_to(300, 350));
}

TEST(Spool, DropsTheOldestOfAFullMemoryWhenTheDiskTakesNothing) {
  TestSpool test;
  test.options.memory_bytes = 1 << 20;
  test.open();
  test.files.fail({.first = 0, .count = UINT64_MAX, .code = Errc::limit});
  std::uint64_t appended = 0;
  for (; appended < 100'000; appended += 1000) test.append_and_write(1000);
  const ReaderCounts counts = test.reader().counts();
  EXPECT_GT(counts.dropped[DropReason::disk_space], 0u);
  EXPECT_LE(test.spool->status().memory_bytes, 1u << 20);
  EXPECT_TRUE(counts.conserved());
  const auto all = test.drain(test.reader());
  EXPECT_EQ(all, test.from_to(counts.dropped.total(), appended));
}

TEST(Spool, ASlowReaderOverflowsIntoBacklogAndLosesNothing) {
  TestSpool test;
  test.options.memory_lines = 1000;
  test.open();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(test.append_and_write(100));
  EXPECT_LE(test.spool->status().memory_lines, 1000u);
  const ReaderCounts counts = test.reader().counts();
  EXPECT_EQ(counts.waiting, 10'000u);
  EXPECT_EQ(counts.backlog, 9'000u);
  test.clock.advance(seconds(1));
  auto all = test.drain(test.reader());
  EXPECT_EQ(all.front(), 9'000u) << "live lines first";
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, test.from_to(0, 10'000));
}

TEST(Spool, TheMemoryOnlyQueueDropsTheOldestLineByLine) {
  TestSpool test;
  test.options.folder.clear();
  test.options.memory_lines = 10;
  test.open();
  test.append(8);
  test.append(5);
  const ReaderCounts counts = test.reader().counts();
  EXPECT_EQ(counts.dropped[DropReason::memory], 3u);
  EXPECT_EQ(counts.waiting, 10u);
  EXPECT_EQ(test.drain(test.reader()), test.from_to(3, 13));
}

TEST(Spool, CountsLinesThatAreTooLong) {
  TestSpool test;
  test.open();
  const std::string line = "m v=\"" + std::string(SpoolOptions::kLineBytesMax, 'x') + "\"\n";
  test.spool->append("a v=1\n" + line + "b v=1\n", 3, test.clock.wall_now());
  const ReaderCounts counts = test.reader().counts();
  EXPECT_EQ(counts.dropped[DropReason::oversize], 1u);
  EXPECT_EQ(counts.collected, 3u);
  EXPECT_EQ(counts.waiting, 2u);
}

TEST(Spool, SplitsAnAppendIntoRecordsOfOneBatch) {
  TestSpool test;
  test.options.batch_lines = 30;
  test.open();
  ASSERT_TRUE(test.append_and_write(100));
  EXPECT_EQ(test.reader().take()->line_count, 30u);
  test.acknowledge_all(test.reader());
  EXPECT_EQ(test.drain(test.reader()), test.from_to(30, 100));
}

TEST(Spool, RunEndsWhenItIsToldTo) {
  TestSpool test;
  test.open();
  test.append(10);
  test.spool->request_stop();
  test.spool->run();
  EXPECT_EQ(test.reader().counts().waiting, 10u);
  EXPECT_EQ(test.reader().counts().dropped.total(), 0u);
  EXPECT_FALSE(test.reader().take()) << "what is left is for the next start";
}

TEST(Spool, SyncsAtIntervalsWhenAskedTo) {
  TestSpool test;
  test.options.sync = SpoolSync::interval;
  test.options.sync_interval = seconds(30);
  test.open();
  ASSERT_TRUE(test.append_and_write(10));
  const auto first = test.spool->status().last_sync;
  test.clock.advance(seconds(10));
  ASSERT_TRUE(test.append_and_write(10));
  EXPECT_EQ(test.spool->status().last_sync, first);
  test.clock.advance(seconds(30));
  ASSERT_TRUE(test.append_and_write(10));
  EXPECT_NE(test.spool->status().last_sync, first);
}

}  // namespace
}  // namespace virtmeter
