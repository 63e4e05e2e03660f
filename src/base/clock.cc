#include "base/clock.h"

#include <ctime>

namespace virtmeter {
namespace {

std::int64_t read_clock_ns(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

WallTime rounded_to_millisecond(WallTime time) {
  constexpr std::int64_t kMillisecond = 1'000'000;
  const std::int64_t half = time.unix_ns >= 0 ? kMillisecond / 2 : -kMillisecond / 2;
  return {(time.unix_ns + half) / kMillisecond * kMillisecond};
}

std::uint64_t monotonic_us() { return static_cast<std::uint64_t>(read_clock_ns(CLOCK_MONOTONIC) / 1'000); }

BootTime SystemClock::boot_now() const { return {std::chrono::nanoseconds(read_clock_ns(CLOCK_BOOTTIME))}; }

WallTime SystemClock::wall_now() const { return {read_clock_ns(CLOCK_REALTIME)}; }

void SystemClock::wait_until(Condition& condition, Mutex& mutex, BootTime deadline) const {
  // The condition waits on the monotonic clock, which stands still during suspend: after one, it is late by
  // the time asleep at most once, because the caller then compares with the boot clock again.
  const auto remaining = deadline - boot_now();
  if (remaining.count() > 0) condition.wait_for(mutex, remaining);
}

void ManualClock::wait_until(Condition&, Mutex&, BootTime deadline) const {
  if (deadline <= boot_) return;
  wall_.unix_ns += (deadline - boot_).count();
  boot_ = deadline;
}

void ManualClock::advance(std::chrono::nanoseconds by) {
  boot_ = boot_ + by;
  wall_.unix_ns += by.count();
}

}  // namespace virtmeter
