// How fast backlog may be handed out: LineRate measures how fast lines come, TokenBucket lets that many times
// as many pass, in bursts of one batch. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace virtmeter {

class LineRate {
 public:
  void note(std::uint64_t line_count, BootTime now);
  // Over the last window that ended; 0 before.
  std::uint64_t lines_per_sec() const { return lines_per_sec_; }

 private:
  static constexpr std::chrono::seconds kWindow{10};
  BootTime since_;
  std::uint64_t lines_ = 0;
  std::uint64_t lines_per_sec_ = 0;
  bool started_ = false;
};

class TokenBucket {
 public:
  explicit TokenBucket(std::uint64_t burst);

  // From now on, `per_sec` lines come in each second.
  void refill(std::uint64_t per_sec, BootTime now);
  bool ready() const { return tokens_ > 0; }
  // When ready() will be true, if lines keep coming in as last told.
  BootTime ready_at() const;
  // May go below zero: the next ones wait the longer.
  void spend(std::uint64_t line_count);

 private:
  const std::int64_t burst_;
  std::int64_t tokens_;
  std::int64_t per_sec_ = 1;
  BootTime filled_at_;
  bool started_ = false;
};

}  // namespace virtmeter
