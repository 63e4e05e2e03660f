// Progress: which parts of the daemon move. Each part says when it last did and how long it may stand still;
// the watchdog is fed only while all of them move, so that a thread which hangs for good ends in a restart
// and not in silence. A part that has nothing to do moves, too: it says so itself. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace virtmeter {

// The last move of a part, noted from its own thread and read from another.
class Pulse {
 public:
  explicit Pulse(BootTime start) : since_boot_ns_(start.since_boot.count()) {}

  void move(BootTime now) { since_boot_ns_.store(now.since_boot.count(), std::memory_order_relaxed); }
  BootTime last() const { return {std::chrono::nanoseconds(since_boot_ns_.load(std::memory_order_relaxed))}; }

 private:
  std::atomic<std::int64_t> since_boot_ns_;
};

class Progress {
 public:
  struct Stalled {
    std::string part;
    std::chrono::nanoseconds still;  // Since its last move.
  };

  // `clock` must outlive the object.
  explicit Progress(const Clock& clock) : clock_(clock) {}

  // `last_move` is asked from any thread, and takes short locks only.
  void watch(std::string part, std::chrono::nanoseconds patience, std::function<BootTime()> last_move)
      EXCLUDES(mutex_);

  // For a part that is watched.
  void set_patience(std::string_view part, std::chrono::nanoseconds patience) EXCLUDES(mutex_);

  // The parts that have stood still for longer than they may.
  std::vector<Stalled> stalled() const EXCLUDES(mutex_);

 private:
  struct Part {
    std::string name;
    std::chrono::nanoseconds patience;
    std::function<BootTime()> last_move;
  };

  const Clock& clock_;
  mutable Mutex mutex_;
  std::vector<Part> parts_ GUARDED_BY(mutex_);
};

}  // namespace virtmeter
