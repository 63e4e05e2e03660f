// Two clocks, two types. BootTime measures intervals: CLOCK_BOOTTIME, which no administrator steps and which
// counts suspend. WallTime stamps records: CLOCK_REALTIME. Only a Clock reads or waits, and it is passed in,
// so that tests own time.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

#include "base/mutex.h"

namespace virtmeter {

// Nanoseconds since boot, for intervals only.
struct BootTime {
  std::chrono::nanoseconds since_boot{0};

  friend auto operator<=>(const BootTime&, const BootTime&) = default;
  friend std::chrono::nanoseconds operator-(BootTime a, BootTime b) { return a.since_boot - b.since_boot; }
  friend BootTime operator+(BootTime a, std::chrono::nanoseconds b) { return {a.since_boot + b}; }
};

// Nanoseconds since 1970-01-01 UTC, for records only.
struct WallTime {
  std::int64_t unix_ns = 0;

  friend auto operator<=>(const WallTime&, const WallTime&) = default;
};

// The same instant, to the nearest millisecond: the finest that every database we write to keeps.
WallTime rounded_to_millisecond(WallTime time);

// CLOCK_MONOTONIC in microseconds: what systemd wants to be told of a reload, and good for nothing else here.
std::uint64_t monotonic_us();

class Clock {
 public:
  virtual ~Clock() = default;
  virtual BootTime boot_now() const = 0;
  virtual WallTime wall_now() const = 0;

  // Waits with `mutex` held until `condition` is notified or boot_now() reaches `deadline`; may return early.
  virtual void wait_until(Condition& condition, Mutex& mutex, BootTime deadline) const REQUIRES(mutex) = 0;
};

// The machine's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  BootTime boot_now() const override;
  WallTime wall_now() const override;
  void wait_until(Condition& condition, Mutex& mutex, BootTime deadline) const override REQUIRES(mutex);
};

// A clock that moves only when told; waiting moves it to the deadline. For tests. Not thread-safe.
class ManualClock final : public Clock {
 public:
  BootTime boot_now() const override { return boot_; }
  WallTime wall_now() const override { return wall_; }
  void wait_until(Condition& condition, Mutex& mutex, BootTime deadline) const override REQUIRES(mutex);

  void advance(std::chrono::nanoseconds by);
  void step_wall(std::chrono::nanoseconds by) { wall_.unix_ns += by.count(); }

 private:
  mutable BootTime boot_{std::chrono::hours(1)};
  mutable WallTime wall_{1'700'000'000'000'000'000};
};

}  // namespace virtmeter
