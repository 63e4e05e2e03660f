// Timeline: when a simulated VM is there, in which life, and which devices are plugged into it: functions of
// its number, the seed and the time alone, so that two runs agree however often they look. Pure functions.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace virtmeter {

// A number that follows from the seed and what it is for, evenly spread.
std::uint64_t draw(std::uint64_t seed, std::uint64_t vm, std::uint64_t what);
// The same as a fraction of [0, 1).
double draw_fraction(std::uint64_t seed, std::uint64_t vm, std::uint64_t what);

// Something that happens to a VM `per_hour` times an hour, at a phase of its own; 0: never.
class Recurrence {
 public:
  Recurrence(double per_hour, double phase);

  struct Point {
    std::uint64_t count = 0;            // How often it has happened.
    std::chrono::nanoseconds since{0};  // The last time; the whole time where it has never happened.
  };
  Point at(std::chrono::nanoseconds time) const;
  // Zero: never.
  std::chrono::nanoseconds period() const { return period_; }

 private:
  std::chrono::nanoseconds period_{0};
  std::chrono::nanoseconds offset_{0};
};

struct Life {
  std::uint64_t number = 0;         // 0 is the one before the replay began.
  std::chrono::nanoseconds age{0};  // Since it began, or since the replay did.
};

// Nothing while the VM is down: it restarts `down`, or a quarter of the period, after it stopped.
std::optional<Life> life_at(const Recurrence& restarts, std::chrono::nanoseconds time);

// What hot-plug has added by now. A disk comes, a NIC comes, the disk goes, the NIC goes, and so on.
struct Plugged {
  std::optional<std::chrono::nanoseconds> disk;  // Since when; absent: it is not there.
  std::optional<std::chrono::nanoseconds> nic;

  // The same devices have the same key.
  std::uint64_t key() const { return (disk ? 1u : 0u) | (nic ? 2u : 0u); }
};
Plugged plugged_at(const Recurrence& plugs, std::chrono::nanoseconds time);

}  // namespace virtmeter
