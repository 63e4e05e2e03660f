#include "spool/pending_ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace virtmeter {
namespace {

std::vector<PendingRange> ranges(const PendingRanges& pending) { return pending.ranges(); }

TEST(PendingRanges, GrowsAtItsEnd) {
  PendingRanges pending;
  pending.append(0, 10);
  pending.append(10, 20);
  pending.append(30, 40);
  EXPECT_EQ(ranges(pending), (std::vector<PendingRange>{{0, 20, 0}, {30, 40, 0}}));
  EXPECT_EQ(pending.lines(), 30u);
}

TEST(PendingRanges, GivesUpWhatIsRemoved) {
  PendingRanges pending;
  pending.append(0, 20);
  EXPECT_EQ(pending.remove(0, 5).lines, 5u);
  EXPECT_EQ(pending.remove(8, 12).lines, 4u);
  EXPECT_EQ(pending.remove(8, 12).lines, 0u);
  EXPECT_EQ(ranges(pending), (std::vector<PendingRange>{{5, 8, 0}, {12, 20, 0}}));
  EXPECT_EQ(pending.remove(0, 100).lines, 11u);
  EXPECT_TRUE(pending.empty());
}

TEST(PendingRanges, CountsNoLineTwice) {
  PendingRanges pending;
  pending.append(0, 10);
  pending.remove(0, 10);
  EXPECT_EQ(pending.add_counted(2, 6), 4u);
  EXPECT_EQ(pending.uncounted(), 0u);
  const auto removed = pending.remove(2, 5);
  EXPECT_EQ(removed.lines, 3u);
  EXPECT_EQ(removed.counted, 3u);
  EXPECT_EQ(ranges(pending), (std::vector<PendingRange>{{5, 6, 1}}));
}

TEST(PendingRanges, AddsOnlyWhatIsNotThere) {
  PendingRanges pending;
  pending.append(5, 10);
  pending.append(20, 30);
  EXPECT_EQ(pending.add_counted(0, 25), 15u);
  EXPECT_EQ(ranges(pending), (std::vector<PendingRange>{{0, 30, 15}}));
  EXPECT_EQ(pending.uncounted(), 15u);
  EXPECT_EQ(pending.add_counted(40, 50), 10u);
  EXPECT_EQ(pending.ranges().size(), 2u);
}

TEST(PendingRanges, ClosesTheSmallestGapWhenThereAreTooMany) {
  PendingRanges pending;
  pending.append(0, 10'000);
  std::uint64_t gone = 0;
  // Gaps of 3 lines, but for one of 1.
  for (std::uint64_t i = 0; i < PendingRanges::kMax; ++i) {
    const std::uint64_t lines = i == 20 ? 1 : 3;
    gone += pending.remove(100 + i * 10, 100 + i * 10 + lines).lines;
  }
  EXPECT_EQ(pending.ranges().size(), PendingRanges::kMax);
  EXPECT_EQ(pending.uncounted(), 10'000 - gone);
  EXPECT_EQ(pending.lines(), 10'000 - gone + 1);
  EXPECT_TRUE(pending.any_in(300, 301)) << "that of one line was closed";
}

TEST(PendingRanges, KeepsItsSumsUnderAnyWork) {
  std::mt19937 random(1);
  PendingRanges pending;
  std::uint64_t end = 0;
  std::uint64_t open = 0;  // Appended, not yet removed as uncounted.
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t from = random() % (end + 1);
    const std::uint64_t to = from + random() % 50;
    switch (random() % 3) {
      case 0: {
        const std::uint64_t begin = end + random() % 3;
        end = begin + 1 + random() % 20;
        pending.append(begin, end);
        open += end - begin;
        break;
      }
      case 1: {
        const auto removed = pending.remove(from, to);
        ASSERT_LE(removed.counted, removed.lines);
        open -= removed.lines - removed.counted;
        ASSERT_EQ(pending.lines_in(from, to), to > from ? pending.lines_in(from, to) : 0u);
        break;
      }
      default:
        pending.add_counted(std::min(from, end), std::min(to, end));
    }
    ASSERT_EQ(pending.uncounted(), open);
    ASSERT_LE(pending.ranges().size(), PendingRanges::kMax);
    std::uint64_t behind = 0;
    for (const PendingRange& range : pending.ranges()) {
      ASSERT_TRUE(range.begin < range.end && (behind == 0 || range.begin > behind));
      ASSERT_LE(range.counted, range.lines());
      behind = range.end;
    }
  }
}

TEST(PendingRanges, FindsTheFirstPart) {
  PendingRanges pending;
  pending.append(5, 10);
  pending.append(20, 30);
  EXPECT_EQ(pending.first_in(0, 100), (PendingRange{5, 10, 0}));
  EXPECT_EQ(pending.first_in(7, 9), (PendingRange{7, 9, 0}));
  EXPECT_EQ(pending.first_in(10, 25), (PendingRange{20, 25, 0}));
  EXPECT_FALSE(pending.first_in(10, 20));
  EXPECT_FALSE(pending.first_in(30, 99));
  EXPECT_EQ(pending.lines_in(8, 22), 4u);
}

}  // namespace
}  // namespace virtmeter
