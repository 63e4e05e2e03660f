#include "sink/line_queue.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

LineQueueOptions options(std::uint64_t max_queue, std::uint64_t batch_max_lines) {
  LineQueueOptions result;
  result.max_queue = max_queue;
  result.batch_max_lines = batch_max_lines;
  return result;
}

// "m v=FIRST\n" ... as one cycle would bring them.
std::string numbered(int first, int count) {
  std::string lines;
  for (int i = first; i < first + count; ++i) lines += "m v=" + std::to_string(i) + "\n";
  return lines;
}

void push(LineQueue& queue, int first, int count) {
  queue.push(numbered(first, count), static_cast<std::uint64_t>(count));
}

void expect_conserved(const LineCounts& counts) {
  EXPECT_EQ(counts.pushed, counts.delivered + counts.waiting + counts.in_flight + counts.dropped.total());
}

// Takes and acknowledges all that is left in a closed queue.
std::string drain(LineQueue& queue) {
  std::string lines;
  queue.close();
  while (const auto batch = queue.take()) {
    lines += batch->bytes;
    queue.acknowledge(*batch);
  }
  return lines;
}

TEST(LineQueue, GivesAFullBatchWithoutWaiting) {
  ManualClock clock;
  const BootTime start = clock.boot_now();
  LineQueue queue(options(100, 3), clock);
  push(queue, 0, 7);
  const auto batch = queue.take();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->bytes, "m v=0\nm v=1\nm v=2\n");
  EXPECT_EQ(batch->line_count, 3u);
  EXPECT_EQ(batch->first_line, 0u);
  EXPECT_EQ(clock.boot_now(), start);
  EXPECT_EQ(queue.counts().waiting, 4u);
  EXPECT_EQ(queue.counts().in_flight, 3u);
}

TEST(LineQueue, GivesAPartialBatchOnceItsFirstLineHasWaitedLongEnough) {
  ManualClock clock;
  const BootTime start = clock.boot_now();
  LineQueue queue(options(100, 10), clock);
  push(queue, 0, 2);
  clock.advance(milliseconds(400));
  push(queue, 2, 2);
  const auto batch = queue.take();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->bytes, numbered(0, 4));
  EXPECT_EQ(clock.boot_now() - start, seconds(1));
}

TEST(LineQueue, FillsBatchesAcrossCycles) {
  ManualClock clock;
  LineQueue queue(options(100, 3), clock);
  push(queue, 0, 2);
  push(queue, 2, 2);
  const auto first = queue.take();
  EXPECT_EQ(first->bytes, numbered(0, 3));
  queue.acknowledge(*first);
  const auto second = queue.take();
  EXPECT_EQ(second->bytes, numbered(3, 1));
  EXPECT_EQ(second->first_line, 3u);
}

TEST(LineQueue, DropsTheOldestLinesWhenFull) {
  ManualClock clock;
  LineQueue queue(options(5, 2), clock);
  push(queue, 0, 4);
  push(queue, 4, 4);
  EXPECT_EQ(queue.counts().waiting, 5u);
  EXPECT_EQ(queue.counts().dropped.overflow, 3u);
  EXPECT_EQ(queue.counts().waiting_bytes, 5u * 6);
  EXPECT_EQ(drain(queue), numbered(3, 5));
  expect_conserved(queue.counts());
}

TEST(LineQueue, KeepsTheNewestOfACycleLargerThanItself) {
  ManualClock clock;
  LineQueue queue(options(3, 100), clock);
  push(queue, 0, 1000);
  EXPECT_EQ(queue.counts().dropped.overflow, 997u);
  EXPECT_EQ(drain(queue), numbered(997, 3));
}

TEST(LineQueue, IsBoundedInBytesToo) {
  ManualClock clock;
  LineQueueOptions bytes = options(1000, 2);
  bytes.max_queue_bytes = 20;
  LineQueue queue(bytes, clock);
  push(queue, 0, 5);  // 6 bytes each.
  EXPECT_EQ(queue.counts().waiting, 3u);
  EXPECT_EQ(queue.counts().waiting_bytes, 18u);
  EXPECT_EQ(queue.counts().dropped.overflow, 2u);
  queue.push(std::string(40, 'x') + "\n", 1);
  EXPECT_EQ(queue.counts().waiting, 0u);
  EXPECT_EQ(queue.counts().waiting_bytes, 0u);
  push(queue, 9, 1);
  EXPECT_EQ(drain(queue), numbered(9, 1));
  expect_conserved(queue.counts());
}

TEST(LineQueue, DropsALineThatIsTooLong) {
  ManualClock clock;
  LineQueue queue(options(10, 10), clock);
  const std::string longest = std::string(LineQueue::kLineBytesMax - 1, 'x') + "\n";
  queue.push("a v=1\nx" + longest + longest + "b v=2\n", 4);
  EXPECT_EQ(queue.counts().dropped.oversize, 1u);
  EXPECT_EQ(drain(queue), "a v=1\n" + longest + "b v=2\n");
  expect_conserved(queue.counts());
}

TEST(LineQueue, EndsABatchBeforeItIsTooLarge) {
  ManualClock clock;
  LineQueue queue(options(10, 10), clock);
  const std::string line = std::string(LineQueue::kLineBytesMax - 1, 'x') + "\n";
  queue.push(line + line + line + line + line, 5);
  EXPECT_EQ(queue.take()->line_count, 4u);
}

TEST(LineQueue, LeavesTheBatchInFlightAloneWhenFull) {
  ManualClock clock;
  LineQueue queue(options(2, 2), clock);
  push(queue, 0, 2);
  const auto batch = queue.take();
  push(queue, 2, 50);
  EXPECT_EQ(batch->bytes, numbered(0, 2));
  EXPECT_EQ(queue.counts().dropped.overflow, 48u);
  queue.acknowledge(*batch);
  EXPECT_EQ(drain(queue), numbered(50, 2));
  EXPECT_EQ(queue.counts().delivered, 4u);
  expect_conserved(queue.counts());
}

TEST(LineQueue, TakesAcknowledgementsPieceByPiece) {
  ManualClock clock;
  LineQueue queue(options(10, 5), clock);
  push(queue, 0, 5);
  const auto batch = queue.take();
  queue.acknowledge(first_lines(*batch, 2), 1);
  EXPECT_EQ(queue.in_flight().bytes, numbered(2, 3));
  EXPECT_EQ(queue.in_flight().first_line, 2u);
  EXPECT_EQ(queue.counts().in_flight, 3u);
  EXPECT_EQ(queue.counts().delivered, 1u);
  EXPECT_EQ(queue.counts().dropped.rejected, 1u);
  queue.put_back();
  EXPECT_EQ(queue.counts().waiting, 3u);
  EXPECT_EQ(queue.counts().in_flight, 0u);
  EXPECT_EQ(drain(queue), numbered(2, 3));
  expect_conserved(queue.counts());
}

TEST(LineQueue, GivesTheSameBatchAgainAfterAPutBack) {
  ManualClock clock;
  LineQueue queue(options(10, 2), clock);
  push(queue, 0, 5);
  const Batch before = *queue.take();
  queue.put_back();
  const Batch after = *queue.take();
  EXPECT_TRUE(after.same_lines_as(before));
  EXPECT_EQ(after.bytes, numbered(0, 2));
}

TEST(LineQueue, DropsWhatIsPutBackIntoAFullQueue) {
  ManualClock clock;
  LineQueue queue(options(4, 2), clock);
  push(queue, 0, 2);
  ASSERT_TRUE(queue.take());
  push(queue, 2, 3);
  queue.put_back();
  EXPECT_EQ(queue.counts().dropped.overflow, 1u);
  EXPECT_EQ(drain(queue), numbered(1, 4));
  expect_conserved(queue.counts());
}

TEST(LineQueue, NumbersLinesAcrossAGap) {
  ManualClock clock;
  LineQueueOptions bytes = options(10, 5);
  bytes.max_queue_bytes = 20;
  LineQueue queue(bytes, clock);
  push(queue, 0, 2);
  ASSERT_TRUE(queue.take());
  queue.push(std::string(40, 'x') + "\n", 1);  // Number 2, and too much for the queue.
  queue.put_back();
  push(queue, 3, 1);
  const Batch first = *queue.take();
  EXPECT_EQ(first.bytes, numbered(0, 2));
  queue.acknowledge(first);
  EXPECT_EQ(queue.take()->first_line, 3u);
}

TEST(LineQueue, GivesWhatIsLeftWhenClosedAndTakesNoMore) {
  ManualClock clock;
  LineQueue queue(options(10, 10), clock);
  push(queue, 0, 1);
  queue.close();
  push(queue, 1, 2);
  const BootTime start = clock.boot_now();
  EXPECT_EQ(drain(queue), numbered(0, 1));
  EXPECT_EQ(clock.boot_now(), start);
  EXPECT_EQ(queue.counts().dropped.shutdown, 2u);
  expect_conserved(queue.counts());
}

TEST(LineQueue, CountsWhatItDiscards) {
  ManualClock clock;
  LineQueue queue(options(10, 2), clock);
  push(queue, 0, 5);
  const auto batch = queue.take();
  queue.acknowledge(first_lines(*batch, 1));
  EXPECT_EQ(queue.discard(), 4u);
  EXPECT_EQ(queue.counts().dropped.shutdown, 4u);
  EXPECT_EQ(queue.counts().waiting_bytes, 0u);
  expect_conserved(queue.counts());
}

TEST(LineQueue, WakesAConsumerThatWaits) {
  const SystemClock clock;
  LineQueueOptions long_wait = options(100, 3);
  long_wait.batch_max_wait = std::chrono::hours(1);
  LineQueue queue(long_wait, clock);
  std::string got;
  std::thread consumer([&] {
    while (const auto batch = queue.take()) {
      got += batch->bytes;
      queue.acknowledge(*batch);
    }
  });
  push(queue, 0, 2);
  push(queue, 2, 2);
  queue.close();
  consumer.join();
  EXPECT_EQ(got, numbered(0, 4));
}

TEST(LineQueue, ConservesLinesUnderConcurrentUse) {
  const SystemClock clock;
  LineQueueOptions small = options(50, 7);
  small.batch_max_wait = milliseconds(1);
  LineQueue queue(small, clock);
  std::thread consumer([&] {
    std::minstd_rand random(1);
    while (const auto batch = queue.take()) {
      const std::uint64_t part = 1 + random() % batch->line_count;
      queue.acknowledge(first_lines(*batch, part), random() % 2);
      queue.put_back();
    }
  });
  for (int i = 0; i < 2000; ++i) {
    push(queue, i, i % 11);
    expect_conserved(queue.counts());
  }
  queue.close();
  consumer.join();
  const LineCounts counts = queue.counts();
  EXPECT_EQ(counts.waiting, 0u);
  EXPECT_EQ(counts.in_flight, 0u);
  EXPECT_EQ(counts.waiting_bytes, 0u);
  expect_conserved(counts);
}

TEST(LineQueue, ConservesLinesThroughRandomOperations) {
  std::minstd_rand random(42);
  for (int round = 0; round < 200; ++round) {
    ManualClock clock;
    LineQueueOptions small = options(1 + random() % 20, 1 + random() % 8);
    small.max_queue_bytes = 10 + random() % 200;
    LineQueue queue(small, clock);
    for (int step = 0; step < 50; ++step) {
      const LineCounts before = queue.counts();
      if (before.in_flight > 0 && random() % 2 == 0) {
        const Batch piece = first_lines(queue.in_flight(), 1 + random() % before.in_flight);
        queue.acknowledge(piece, random() % (piece.line_count + 1));
      } else if (before.in_flight > 0 && random() % 4 == 0) {
        queue.put_back();
      } else if (before.in_flight == 0 && before.waiting > 0 && random() % 2 == 0) {
        ASSERT_TRUE(queue.take());
      } else {
        push(queue, step, static_cast<int>(random() % 12));
      }
      const LineCounts after = queue.counts();
      expect_conserved(after);
      ASSERT_LE(after.waiting, small.max_queue);
      ASSERT_LE(after.waiting_bytes, small.max_queue_bytes);
    }
  }
}

}  // namespace
}  // namespace virtmeter
