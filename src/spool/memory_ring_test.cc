#include "spool/memory_ring.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace virtmeter {
namespace {

constexpr BootTime kThen{std::chrono::seconds(5)};

TEST(MemoryRing, CopiesAcrossRecordsUpToItsBounds) {
  MemoryRing ring(100);
  ring.push("a\nb\n", 2, WallTime{1}, kThen);
  ring.push("c\nd\ne\n", 3, WallTime{2}, kThen);
  const auto check = [&](std::uint64_t begin, std::uint64_t end, MemoryRing::Bounds bounds,
                         std::string want) {
    std::string out;
    const std::uint64_t lines = ring.copy(begin, end, bounds, out) - begin;
    EXPECT_EQ(lines, out.size() / 2);
    EXPECT_EQ(out, want);
  };
  check(100, 105, {10, 100}, "a\nb\nc\nd\ne\n");
  check(101, 105, {10, 100}, "b\nc\nd\ne\n");
  check(101, 104, {10, 100}, "b\nc\nd\n");
  check(100, 105, {2, 100}, "a\nb\n");
  check(100, 105, {3, 100}, "a\nb\nc\n");
  check(100, 105, {10, 7}, "a\nb\nc\n");
  check(103, 105, {10, 1}, "d\n");
}

TEST(MemoryRing, LosesLinesFromItsFront) {
  MemoryRing ring(0);
  ring.push("a\nbb\n", 2, WallTime{1}, kThen);
  ring.push("c\n", 1, WallTime{2}, kThen);
  ring.drop_front(1);
  EXPECT_EQ(ring.begin_line(), 1u);
  EXPECT_EQ(ring.front().bytes(), "bb\n");
  EXPECT_EQ(ring.bytes(), 5u);
  ring.pop_front();
  EXPECT_EQ(ring.lines(), 1u);
  EXPECT_EQ(ring.bytes(), 2u);
  EXPECT_EQ(ring.find(1), ring.records().end());
  EXPECT_EQ(ring.find(2)->begin, 2u);
  ring.pop_front();
  EXPECT_EQ(ring.begin_line(), 3u);
  EXPECT_EQ(ring.end_line(), 3u);
}

TEST(MemoryRing, FillsOldBuffersAgain) {
  MemoryRing ring(0);
  const std::string lines = std::string(999, 'x') + "\n";
  ring.push(lines, 1, WallTime{1}, kThen);
  const char* buffer = ring.front().bytes().data();
  ring.pop_front();
  ring.push(lines, 1, WallTime{1}, kThen);
  EXPECT_EQ(ring.front().bytes().data(), buffer);
}

// 100 records of one time, and far more than is kept otherwise.
TEST(MemoryRing, KeepsTheBuffersThatALargeCycleNeeds) {
  MemoryRing ring(0);
  const std::string lines = std::string(199'999, 'x') + "\n";
  std::set<const void*> buffers;
  for (int i = 0; i < 100; ++i) {
    ring.push(lines, 1, WallTime{1}, kThen);
    buffers.insert(ring.back().bytes().data());
  }
  while (!ring.empty()) ring.pop_front();
  for (int i = 0; i < 100; ++i) {
    ring.push(lines, 1, WallTime{2}, kThen);
    EXPECT_TRUE(buffers.contains(ring.back().bytes().data())) << i;
  }
}

TEST(MemoryRing, GivesUpBuffersThatNoCycleNeedsAnyMore) {
  MemoryRing ring(0);
  const std::string lines = std::string(199'999, 'x') + "\n";
  for (int i = 0; i < 100; ++i) ring.push(lines, 1, WallTime{1}, kThen);
  // Two small cycles later an outage ends, say.
  ring.push("a\n", 1, WallTime{2}, kThen);
  ring.push("a\n", 1, WallTime{3}, kThen);
  while (!ring.empty()) ring.pop_front();
  EXPECT_LE(ring.spare_bytes(), std::size_t{8} << 20);
  EXPECT_GT(ring.spare_bytes(), 0u);
}

TEST(MemoryRing, KeepsThePinnedBytesOfARecordThatLeft) {
  MemoryRing ring(0);
  ring.push("first line that is long enough to live on the heap\n", 1, WallTime{1}, kThen);
  ring.front().pinned = true;
  const std::string_view bytes = ring.front().bytes();
  ring.pop_front();
  ring.push("second line that would be written over the first one\n", 1, WallTime{1}, kThen);
  EXPECT_EQ(bytes, "first line that is long enough to live on the heap\n");
  ring.unpin_all();
  EXPECT_EQ(ring.lines(), 1u);
}

}  // namespace
}  // namespace virtmeter
