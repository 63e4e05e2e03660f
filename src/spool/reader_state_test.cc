#include "spool/reader_state.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

const BootTime kNow{std::chrono::hours(1)};

struct Reader {
  ReaderState state{"influx", SpoolOptions{}};

  void fly(std::uint64_t begin, std::uint64_t end) {
    state.buffer().clear();
    for (std::uint64_t i = begin; i < end; ++i) state.buffer() += "x\n";
    state.start_flight(begin, end);
  }
};

TEST(ReaderState, AddsUpAtEveryStep) {
  Reader reader;
  reader.state.collect(0, 100);
  reader.fly(0, 10);
  EXPECT_EQ(reader.state.counts().in_flight, 10u);
  EXPECT_EQ(reader.state.counts().waiting, 90u);
  reader.state.acknowledge(6, {.delivered = 3, .rejected = 1, .expired = 1, .refused = 1}, kNow);
  EXPECT_EQ(reader.state.in_flight().line_count, 4u);
  EXPECT_EQ(reader.state.in_flight().first_line, 6u);
  EXPECT_TRUE(reader.state.counts().conserved());
  reader.state.put_back();
  EXPECT_EQ(reader.state.counts().waiting, 94u);
  reader.state.drop(50, 200, DropReason::evicted);
  reader.state.collect_and_drop(3, DropReason::oversize);
  const ReaderCounts counts = reader.state.counts();
  EXPECT_TRUE(counts.conserved());
  EXPECT_EQ(counts.collected, 103u);
  EXPECT_EQ(counts.delivered, 3u);
  EXPECT_EQ(counts.dropped[DropReason::evicted], 50u);
  EXPECT_EQ(counts.dropped[DropReason::refused], 1u);
}

TEST(ReaderState, WhatFliesCanBeDeliveredAfterItsSourceIsGone) {
  Reader reader;
  reader.state.collect(0, 20);
  reader.fly(0, 10);
  reader.state.drop(0, 15, DropReason::memory);
  EXPECT_EQ(reader.state.counts().dropped.total(), 5u);
  EXPECT_EQ(reader.state.counts().in_flight, 10u);
  reader.state.acknowledge(4, {.delivered = 4}, kNow);
  reader.state.put_back();
  const ReaderCounts counts = reader.state.counts();
  EXPECT_EQ(counts.delivered, 4u);
  EXPECT_EQ(counts.dropped[DropReason::memory], 11u);
  EXPECT_EQ(counts.waiting, 5u);
  EXPECT_TRUE(counts.conserved());
}

TEST(ReaderState, ReplaysWhatWasAcknowledgedLatelyAndCountsItAsResent) {
  Reader reader;
  reader.state.collect(0, 30);
  reader.fly(0, 10);
  reader.state.acknowledge(10, {.delivered = 10}, kNow);
  reader.fly(10, 20);
  reader.state.acknowledge(10, {.delivered = 10}, kNow + std::chrono::seconds(20));
  EXPECT_EQ(reader.state.last_acknowledged(), kNow + std::chrono::seconds(20));
  EXPECT_EQ(reader.state.replay(std::chrono::seconds(15)), 10u);
  EXPECT_EQ(reader.state.replay(std::chrono::seconds(15)), 0u);
  ReaderCounts counts = reader.state.counts();
  EXPECT_EQ(counts.waiting, 10u);
  EXPECT_EQ(counts.backlog, 10u);
  EXPECT_TRUE(counts.conserved());
  reader.fly(10, 20);
  EXPECT_EQ(reader.state.counts().in_flight, 0u) << "they are counted as delivered";
  reader.state.acknowledge(10, {.delivered = 10}, kNow + std::chrono::seconds(21));
  counts = reader.state.counts();
  EXPECT_EQ(counts.delivered, 20u);
  EXPECT_EQ(counts.resent, 10u);
  EXPECT_TRUE(counts.conserved());
}

TEST(ReaderState, GoesOnFromItsSlot) {
  Reader reader;
  reader.state.collect(0, 30);
  reader.fly(0, 10);
  reader.state.acknowledge(7, {.delivered = 6, .rejected = 1}, kNow);
  const CursorSlot slot = reader.state.slot(30, WallTime{1});
  EXPECT_TRUE(slot.consistent());
  Reader next;
  next.state.adopt(slot);
  const ReaderCounts counts = next.state.counts();
  EXPECT_EQ(counts.waiting, 23u);
  EXPECT_EQ(counts.delivered, 6u);
  EXPECT_TRUE(counts.conserved());
}

}  // namespace
}  // namespace virtmeter
