// The beat: cycles start at start + n * interval on the boot clock. A cycle that ends after the next beat
// makes that beat late: it is counted and left out, never queued, and the ones after it stay where they were,
// so the beat does not drift. Wall-clock steps do not touch it. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace virtmeter {

class Beat {
 public:
  // The first beat is `start` itself. `interval` must be positive.
  Beat(BootTime start, std::chrono::nanoseconds interval);

  // When the next cycle may start.
  BootTime next() const { return next_; }

  // Says that the cycle of the beat next() has been worked off at `now`. Counts the beats it has run over.
  void finished(BootTime now);

  std::uint64_t missed() const { return missed_; }

 private:
  BootTime next_;
  std::chrono::nanoseconds interval_;
  std::uint64_t missed_ = 0;
};

}  // namespace virtmeter
