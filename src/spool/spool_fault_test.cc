// A spool whose disk fails, whose process is killed, whose power is cut, at every single operation: what was
// promised holds each time, and collected = delivered + waiting + in flight + dropped.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

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
  void check(const std::string& damaged) {
    *test.files.bytes_of(path) = damaged;
    test.open();
    ASSERT_TRUE(test.reader().counts().conserved());
    const auto delivered = test.drain(test.reader());
    const ReaderCounts counts = test.reader().counts();
    ASSERT_TRUE(counts.conserved());
    ASSERT_EQ(delivered.size(), counts.delivered - counts.resent);
    ASSERT_LE(delivered.size() + counts.dropped.total(), 35u);
    test.append(3);
    ASSERT_EQ(test.drain(test.reader()).size(), 3u);
    test.kill();
  }

  TestSpool test;
  std::string path;
  std::string bytes;
};

TEST(SpoolFaults, TheTailMayBeCutAtEveryByte) {
  std::string whole;
  for (std::size_t size = 0;; ++size) {
    Left left;
    if (size > left.bytes.size()) break;
    SCOPED_TRACE(size);
    left.check(left.bytes.substr(0, size));
    if (HasFatalFailure()) return;
  }
}

TEST(SpoolFaults, EveryBitOfARecordMayFlip) {
  const std::size_t bits = Left().bytes.size() * 8;
  for (std::size_t bit = 0; bit < bits; ++bit) {
    Left left;
    SCOPED_TRACE(bit);
    std::string damaged = left.bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    left.check(damaged);
    if (HasFatalFailure()) return;
    // Not more than one record is lost.
    ASSERT_GE(left.test.next, 35u);
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
  const std::size_t second = 64 + (left.bytes.size() - 64) / 5 / 8 * 8;
  damaged[second + 10] ^= 1;
  left.check(damaged);
  left.test.open();
  EXPECT_LE(left.test.reader().counts().dropped[DropReason::corrupt], 14u);
}

}  // namespace
}  // namespace virtmeter
