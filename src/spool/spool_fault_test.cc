// A spool whose disk fails, whose process is killed, whose power is cut, at every single operation: what was
// promised holds each time, and collected = delivered + waiting + in flight + dropped.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "base/crc32c.h"
#include "spool/format.h"
#include "spool/test_spool.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A short life of a spool with all that touches the disk: writing, rotation, acknowledging in part, backlog,
// removal.
struct Life {
  TestSpool& test;
  std::set<std::uint64_t> delivered;
  std::uint64_t safe = 0;  // Lines below were written before the disk was frozen.

  void note_safe() {
    if (!test.files.frozen() && test.spool->status().unwritten_lines == 0) safe = test.next;
  }

  void deliver_some(std::uint64_t lines) {
    if (!test.something_waits(test.reader().counts())) return;
    const auto batch = test.reader().take();
    if (!batch) return;
    const Batch piece = first_lines(*batch, lines);
    // A process that is dead delivers nothing.
    if (!test.files.frozen()) {
      for (const std::uint64_t number : test.numbers(piece)) delivered.insert(number);
      test.reader().acknowledge(piece, {.delivered = piece.line_count});
    }
    test.reader().put_back();
  }

  void run() {
    for (int cycle = 0; cycle < 12; ++cycle) {
      test.append(60);
      test.spool->write_pending();
      note_safe();
      if (cycle % 3 == 1) test.reader().fall_behind();
      if (cycle % 2 == 1) deliver_some(50);
      test.clock.advance(milliseconds(cycle == 8 ? 20'000 : 700));
      EXPECT_TRUE(test.reader().counts().conserved());
    }
  }

  void deliver_rest() {
    for (const std::uint64_t number : test.drain(test.reader())) delivered.insert(number);
    EXPECT_TRUE(test.reader().counts().conserved());
    EXPECT_EQ(test.reader().counts().waiting, 0u);
  }
};

void set_up(TestSpool& test) {
  test.options.segment_bytes = 2048;
  test.options.batch_lines = 70;
  test.options.memory_lines = 200;
}

std::uint64_t operations_of_a_life() {
  TestSpool test;
  set_up(test);
  test.open();
  Life life{test, {}, 0};
  life.run();
  return test.files.operations();
}

// Ends the process at each operation; `and_then` is what befalls the disk besides.
void check_kill_at_every_operation(SpoolSync sync, const std::function<void(MemoryFileSystem&)>& and_then) {
  const std::uint64_t operations = operations_of_a_life();
  ASSERT_GT(operations, 60u);
  for (std::uint64_t at = 0; at <= operations; ++at) {
    SCOPED_TRACE(at);
    TestSpool test;
    set_up(test);
    test.options.sync = sync;
    test.files.freeze_at(at);
    test.open();
    Life life{test, {}, 0};
    life.run();
    test.kill();
    test.files.thaw();
    and_then(test.files);
    test.open();
    ASSERT_TRUE(test.reader().counts().conserved());
    const std::uint64_t dropped_at_start = test.reader().counts().dropped.total();
    life.deliver_rest();
    for (std::uint64_t number = 0; number < life.safe; ++number)
      ASSERT_TRUE(life.delivered.contains(number)) << number << " of " << life.safe << " is lost";
    const ReaderCounts counts = test.reader().counts();
    EXPECT_EQ(counts.dropped.total(), dropped_at_start) << "nothing is found damaged";
    EXPECT_EQ(counts.dropped.total(), counts.dropped[DropReason::missing]);
    // And the next start finds all in order.
    test.restart();
    EXPECT_TRUE(test.reader().counts().conserved());
    EXPECT_EQ(test.reader().counts().waiting, 0u);
  }
}

TEST(SpoolFaults, AKilledProcessLosesNothingThatWasWritten) {
  check_kill_at_every_operation(SpoolSync::never, [](MemoryFileSystem&) {});
}

TEST(SpoolFaults, APowerCutTakesNothingThatWasSynced) {
  check_kill_at_every_operation(SpoolSync::every_append, [](MemoryFileSystem& files) { files.cut_power(); });
}

void check_failing_disk(std::uint64_t count, Errc code) {
  const std::uint64_t operations = operations_of_a_life();
  for (std::uint64_t at = 0; at <= operations; ++at) {
    SCOPED_TRACE(at);
    TestSpool test;
    set_up(test);
    test.files.fail({.first = at, .count = count, .code = code});
    test.open();
    Life life{test, {}, 0};
    life.run();
    test.files.heal();
    life.deliver_rest();
    const ReaderCounts counts = test.reader().counts();
    // A full disk may cost what was evicted for it.
    const std::uint64_t evicted = counts.dropped[DropReason::disk_space];
    ASSERT_EQ(life.delivered.size() + counts.dropped.total(), test.next);
    if (count == 1) {
      ASSERT_EQ(counts.dropped.total(), code == Errc::limit ? evicted : 0u);
    }
    test.restart();
    EXPECT_TRUE(test.reader().counts().conserved());
    EXPECT_TRUE(test.append_and_write(10));
    life.deliver_rest();
    ASSERT_GE(life.delivered.size() + test.reader().counts().dropped.total(), test.next);
  }
}

TEST(SpoolFaults, EachOperationMayFailOnce) { check_failing_disk(1, Errc::io); }
TEST(SpoolFaults, EachOperationMayFindNoSpaceOnce) { check_failing_disk(1, Errc::limit); }
TEST(SpoolFaults, TheDiskMayFailForEverFromEachOperationOn) { check_failing_disk(UINT64_MAX, Errc::io); }
TEST(SpoolFaults, TheDiskMayBeFullForEverFromEachOperationOn) { check_failing_disk(UINT64_MAX, Errc::limit); }

// --------------------------------------------------------------------------------------------------- damage

// A spool of one unsealed segment, as a kill leaves it.
struct Left {
  Left() {
    test.options.segment_bytes = 1 << 20;
    test.open();
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(test.append_and_write(7));
    test.kill();
    path = test.segment_paths().at(0);
    bytes = *test.files.bytes_of(path);
  }

  // Starts on the damaged segment; all lines are delivered or counted.
  void check(const std::string& damaged, std::uint64_t least) {
    *test.files.bytes_of(path) = damaged;
    test.open();
    ASSERT_TRUE(test.reader().counts().conserved());
    // take() would wait for more once all that is left has turned out to be damaged.
    test.reader().close();
    const auto delivered = test.drain(test.reader());
    const ReaderCounts counts = test.reader().counts();
    ASSERT_TRUE(counts.conserved());
    ASSERT_EQ(delivered.size(), counts.delivered);
    // At most the record that is damaged is lost; one whose header is damaged at the end is as if torn off.
    ASSERT_GE(delivered.size(), least);
    ASSERT_LE(delivered.size() + counts.dropped.total(), 35u);
    test.append(3);
    ASSERT_EQ(test.drain(test.reader()).size(), 3u);
    test.spool->finish();
    test.kill();
    test.open();
    ASSERT_EQ(test.reader().counts().waiting, 0u);
    ASSERT_EQ(test.reader().counts().delivered, delivered.size() + 3);
    ASSERT_TRUE(test.reader().counts().conserved());
    test.kill();
  }

  TestSpool test;
  std::string path;
  std::string bytes;
};

TEST(SpoolFaults, TheTailMayBeCutAtEveryByte) {
  const std::size_t whole = Left().bytes.size();
  const std::size_t record = (whole - kSegmentHeaderBytes) / 5;
  for (std::size_t size = 0; size <= whole; ++size) {
    Left left;
    SCOPED_TRACE(size);
    // Records differ by a few bytes; one more may be cut than their average size says.
    const std::size_t cut_records = (whole - size + record - 1) / record + (size < whole ? 1 : 0);
    left.check(left.bytes.substr(0, size), 35 - 7 * std::min<std::size_t>(5, cut_records));
    if (HasFatalFailure()) return;
  }
}

TEST(SpoolFaults, EveryBitOfARecordMayFlip) {
  const std::string bytes = Left().bytes;
  // The header of the segment and its first two records; the last one is cut in another test.
  const std::size_t end = kSegmentHeaderBytes + 2 * (bytes.size() - kSegmentHeaderBytes) / 5;
  for (std::size_t bit = 0; bit < end * 8; ++bit) {
    Left left;
    SCOPED_TRACE(bit);
    std::string damaged = left.bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    left.check(damaged, 28);
    if (HasFatalFailure()) return;
  }
}

TEST(SpoolFaults, ADamagedRecordCostsItsLinesAndIsCounted) {
  Left left;
  std::string damaged = left.bytes;
  damaged[64 + 48 + 20] ^= 1;  // In the payload of the first record.
  *left.test.files.bytes_of(left.path) = damaged;
  left.test.open();
  EXPECT_EQ(left.test.drain(left.test.reader()), left.test.from_to(7, 35));
  const ReaderCounts counts = left.test.reader().counts();
  EXPECT_EQ(counts.dropped[DropReason::corrupt], 7u);
  EXPECT_EQ(counts.delivered, 28u);
}

TEST(SpoolFaults, ADamagedHeaderCostsItsRecordAndIsCounted) {
  Left left;
  std::string damaged = left.bytes;
  damaged[kSegmentHeaderBytes + 10] ^= 1;
  *left.test.files.bytes_of(left.path) = damaged;
  left.test.open();
  EXPECT_EQ(left.test.drain(left.test.reader()), left.test.from_to(7, 35));
  EXPECT_EQ(left.test.reader().counts().dropped[DropReason::corrupt], 7u);
}

TEST(SpoolFaults, ATornTailIsCountedWhenItsHeaderIsWhole) {
  Left left;
  *left.test.files.bytes_of(left.path) = left.bytes.substr(0, left.bytes.size() - 20);
  left.test.open();
  EXPECT_GT(left.test.spool->status().torn_bytes, 0u);
  EXPECT_EQ(left.test.reader().counts().collected, 35u);
  left.test.reader().close();
  EXPECT_EQ(left.test.drain(left.test.reader()), left.test.from_to(0, 28));
  EXPECT_EQ(left.test.reader().counts().dropped[DropReason::corrupt], 7u);
}

TEST(SpoolFaults, ATornCursorLeavesTheOneBefore) {
  TestSpool test;
  test.open();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(test.append_and_write(10));
    ASSERT_EQ(test.drain(test.reader()).size(), 10u);
    test.clock.advance(seconds(2));
    test.spool->write_pending();
  }
  test.kill();
  std::string& cursor = *test.files.bytes_of("/state/spool/influx.cursor");
  for (const std::size_t slot : {std::size_t{0}, kCursorSlotBytes}) {
    const char kept = cursor[slot + 40];
    cursor[slot + 40] ^= 1;
    test.open();
    EXPECT_TRUE(test.reader().counts().conserved());
    EXPECT_GE(test.reader().counts().delivered, 20u);
    EXPECT_EQ(test.reader().counts().collected, 40u);
    test.kill();
    cursor[slot + 40] = kept;
  }
  cursor.assign(cursor.size(), '\0');
  test.open();
  EXPECT_EQ(test.reader().counts().waiting, 40u) << "without a cursor all is sent again";
}

TEST(SpoolFaults, AnUnreadablePartIsSkippedAfterAWhile) {
  Left left;
  left.test.open();
  left.test.files.fail({.first = 0, .count = 5, .code = Errc::io, .only = MemoryFileSystem::Operation::read});
  for (int second = 1; second <= 6; ++second) {
    left.test.append(1);
    ASSERT_EQ(left.test.numbers(*left.test.reader().take()), std::vector<std::uint64_t>{left.test.next - 1});
    left.test.acknowledge_all(left.test.reader());
    EXPECT_EQ(left.test.reader().counts().dropped[DropReason::corrupt], second < 6 ? 0u : 35u);
  }
  EXPECT_TRUE(left.test.reader().counts().conserved());
}

TEST(SpoolFaults, AMomentOfUnreadabilityCostsNothing) {
  Left left;
  left.test.open();
  left.test.files.fail({.first = 0, .count = 4, .code = Errc::io, .only = MemoryFileSystem::Operation::read});
  EXPECT_EQ(left.test.drain(left.test.reader()), left.test.from_to(0, 35));
}

TEST(SpoolFaults, ForeignFilesAreSetAside) {
  Left left;
  left.test.files.put("/state/spool/notes.txt", "buy milk");
  left.test.files.put("/state/spool/00000000000000ff-00000009.seg", std::string(5000, 'x'));
  std::string newer = left.bytes;
  newer[8] = 2;
  const std::uint32_t crc = crc32c(std::string_view(newer).substr(0, 60));
  newer.replace(60, 4, reinterpret_cast<const char*>(&crc), 4);
  left.test.files.put("/state/spool/0000000000000100-0000000a.seg", newer);
  left.test.open();
  EXPECT_EQ(left.test.spool->status().files_set_aside, 3u);
  EXPECT_NE(left.test.files.bytes_of("/state/spool/quarantine/notes.txt"), nullptr);
  EXPECT_EQ(left.test.drain(left.test.reader()), left.test.from_to(0, 35));
  EXPECT_EQ(left.test.reader().counts().dropped.total(), 0u);
}

TEST(SpoolFaults, QuarantineIsBounded) {
  Left left;
  for (int i = 0; i < 30; ++i) left.test.files.put(fmt::format("/state/spool/junk{}", i), "x");
  left.test.open();
  EXPECT_EQ(left.test.spool->status().files_set_aside, 16u);
  EXPECT_EQ(left.test.spool->status().files_ignored, 14u);
}

TEST(SpoolFaults, ASegmentThatSomebodyRemovedIsCounted) {
  TestSpool test;
  test.open();
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(test.append_and_write(100));
  test.restart();
  ASSERT_GE(test.segment_paths().size(), 3u);
  ASSERT_TRUE(test.files.remove(test.segment_paths().at(1)));
  const auto delivered = test.drain(test.reader());
  const ReaderCounts counts = test.reader().counts();
  EXPECT_GT(counts.dropped[DropReason::corrupt], 0u);
  EXPECT_EQ(delivered.size() + counts.dropped.total(), 6000u);
  EXPECT_TRUE(counts.conserved());
}

TEST(SpoolFaults, AFolderThatCannotBeReadAtTheStartIsTakenLater) {
  Left left;
  left.test.files.fail({.first = 0, .count = 1, .code = Errc::io, .only = MemoryFileSystem::Operation::list});
  left.test.open();
  EXPECT_TRUE(left.test.spool->status().failing_since);
  EXPECT_TRUE(left.test.append_and_write(5));
  EXPECT_FALSE(left.test.spool->status().failing_since);
  auto all = left.test.drain(left.test.reader());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, left.test.from_to(0, 40));
  EXPECT_TRUE(left.test.reader().counts().conserved());
}

TEST(SpoolFaults, AFileThatCanNeverBeReadIsSetAsideInTheEnd) {
  Left left;
  left.test.files.fail(
      {.first = 0, .count = 40, .code = Errc::io, .only = MemoryFileSystem::Operation::read});
  left.test.open();
  for (int i = 0; i < 6; ++i) left.test.append_and_write(5);
  EXPECT_FALSE(left.test.spool->status().failing_since);
  EXPECT_GT(left.test.spool->status().files_set_aside, 0u);
}

}  // namespace
}  // namespace virtmeter
