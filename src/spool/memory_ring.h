// MemoryRing: the newest records, in memory, oldest first, their lines numbered without a hole. Buffers of
// records that leave are filled again, so that a steady flow allocates nothing. Not thread-safe; the bytes of
// a pinned record stay valid until unpin_all(), even if it leaves meanwhile.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace virtmeter {

struct MemoryRecord {
  std::uint64_t begin = 0;  // Line numbers.
  std::uint64_t end = 0;
  WallTime time;
  BootTime arrived;
  std::optional<BootTime> done_since;  // When no reader wanted it any more.
  std::string buffer;
  std::size_t offset = 0;  // Where line `begin` stands.
  bool pinned = false;

  std::string_view bytes() const { return std::string_view(buffer).substr(offset); }
  std::uint64_t lines() const { return end - begin; }
};

class MemoryRing {
 public:
  using Records = std::list<MemoryRecord>;

  explicit MemoryRing(std::uint64_t first_line) : end_(first_line) {}

  void push(std::string_view lines, std::uint64_t line_count, WallTime time, BootTime arrived);
  void pop_front();
  // Takes the oldest lines of the oldest record, fewer than it has.
  void drop_front(std::uint64_t line_count);

  // Copies complete lines from number `begin` on into `out`, up to `end` and to the bounds, at least one
  // line; returns the number after the last. `begin` must be here.
  struct Bounds {
    std::uint64_t lines = 0;
    std::size_t bytes = 0;
  };
  std::uint64_t copy(std::uint64_t begin, std::uint64_t end, const Bounds& bounds, std::string& out) const;

  // The record that holds the line; end() when none does.
  Records::iterator find(std::uint64_t line);
  Records::const_iterator find(std::uint64_t line) const;

  void unpin_all();

  bool empty() const { return records_.empty(); }
  MemoryRecord& front() { return records_.front(); }
  const MemoryRecord& front() const { return records_.front(); }
  const MemoryRecord& back() const { return records_.back(); }
  Records& records() { return records_; }
  const Records& records() const { return records_; }
  // The first line here, or the next to come.
  std::uint64_t begin_line() const { return records_.empty() ? end_ : records_.front().begin; }
  std::uint64_t end_line() const { return end_; }
  // Only while it is empty: where numbers go on.
  void start_at(std::uint64_t line);
  std::uint64_t lines() const { return end_line() - begin_line(); }
  std::size_t bytes() const { return bytes_; }
  // What is kept to be filled again.
  std::size_t spare_bytes() const { return spare_bytes_; }

 private:
  struct CycleSize {
    std::size_t bytes = 0;
    std::size_t records = 0;
  };

  void recycle(Records::iterator record);
  void note_cycle(std::size_t bytes, WallTime time);

  Records records_;
  Records spare_;
  Records leaving_;  // Left while pinned.
  std::uint64_t end_;
  std::size_t bytes_ = 0;
  std::size_t spare_bytes_ = 0;
  WallTime cycle_time_;
  CycleSize cycle_;         // What buffers the cycle of that time has taken,
  CycleSize cycle_before_;  // and the one before.
};

}  // namespace virtmeter
