// LineQueue: lines wait here for one sink, in memory, bounded in lines and in bytes. The producer never
// waits: when the queue is full the oldest waiting lines are dropped and counted. The consumer takes one
// batch at a time, which stays in flight until all its lines are acknowledged or what is left of it is put
// back.
//
// Always: pushed = delivered + waiting + in flight + dropped. Thread-safe; one consumer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "spool/batch.h"

namespace virtmeter {

struct LineQueueOptions {
  std::uint64_t max_queue = 20'000;  // Lines that may wait; the batch in flight comes on top.
  std::size_t max_queue_bytes = 64u << 20;
  std::uint64_t batch_max_lines = 2'000;
  std::chrono::nanoseconds batch_max_wait = std::chrono::seconds(1);
};

struct DroppedLines {
  std::uint64_t overflow = 0;  // The oldest of a full queue.
  std::uint64_t rejected = 0;  // The server can never store them.
  std::uint64_t oversize = 0;  // Longer than LineQueue::kLineBytesMax.
  std::uint64_t shutdown = 0;  // Not delivered when the process had to end.

  std::uint64_t total() const { return overflow + rejected + oversize + shutdown; }
};

struct LineCounts {
  std::uint64_t pushed = 0;
  std::uint64_t delivered = 0;
  std::uint64_t waiting = 0;
  std::uint64_t in_flight = 0;
  DroppedLines dropped;
  std::uint64_t waiting_bytes = 0;
};

class LineQueue {
 public:
  static constexpr std::size_t kLineBytesMax = 1u << 20;
  // A batch ends here even when it may hold more lines: several servers refuse bodies above 10 MiB.
  static constexpr std::size_t kBatchBytesMax = 4u << 20;

  LineQueue(LineQueueOptions options, const Clock& clock);

  // Appends one cycle's lines: `line_count` of them, each complete and ending in '\n'. After close() they are
  // counted as dropped by shutdown.
  void push(std::string_view lines, std::uint64_t line_count) EXCLUDES(mutex_);

  // Waits for a full batch, or for batch_max_wait after its first line came, and puts it in flight. After
  // close() it gives what is left without waiting, then nothing. The view is valid until its lines are
  // acknowledged or put back.
  std::optional<Batch> take() EXCLUDES(mutex_);

  // What of the batch in flight is not acknowledged yet.
  Batch in_flight() const EXCLUDES(mutex_);

  // The first lines of the batch in flight are done with: `rejected` of them could not be stored, the others
  // were.
  void acknowledge(const Batch& piece, std::uint64_t rejected = 0) EXCLUDES(mutex_);

  // What is left in flight waits again, in front.
  void put_back() EXCLUDES(mutex_);

  void close() EXCLUDES(mutex_);

  // Drops all that waits or is in flight, counted as shutdown; returns how many lines that were.
  std::uint64_t discard() EXCLUDES(mutex_);

  LineCounts counts() const EXCLUDES(mutex_);

 private:
  // The lines of one batch to be, filled at the end and, when they overflow, dropped from the start.
  struct Block {
    std::string bytes;
    std::size_t begin = 0;
    std::uint64_t lines = 0;
    std::uint64_t first_line = 0;
    BootTime arrived;

    Batch view() const { return {std::string_view(bytes).substr(begin), lines, first_line}; }
    std::size_t size() const { return bytes.size() - begin; }
    void drop_front(std::uint64_t count);
  };

  void append(std::string_view line) REQUIRES(mutex_);
  bool fits_into_last(std::size_t line_bytes) const REQUIRES(mutex_);
  void drop_overflow() REQUIRES(mutex_);
  void recycle(Block& block) REQUIRES(mutex_);

  const LineQueueOptions options_;
  const Clock& clock_;
  mutable Mutex mutex_;
  Condition changed_;
  std::deque<Block> blocks_ GUARDED_BY(mutex_);
  std::optional<Block> in_flight_ GUARDED_BY(mutex_);
  std::vector<std::string> spare_
      GUARDED_BY(mutex_);  // Buffers of batches that are done, to be filled again.
  LineCounts counts_ GUARDED_BY(mutex_);
  std::uint64_t next_line_ GUARDED_BY(mutex_) = 0;
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace virtmeter
