// EventPulse: a timer in libvirt's event loop that notes that the loop turns. It takes part in the loop like
// libvirt's own timers do, so what stops those stops it. EventThread must have started. Thread-safe.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "daemon/progress.h"

namespace virtmeter {

class EventPulse {
 public:
  // `clock` must outlive the event loop's use of it: the process.
  static Result<std::unique_ptr<EventPulse>> start(const Clock& clock, std::chrono::milliseconds period);
  ~EventPulse();
  EventPulse(const EventPulse&) = delete;
  EventPulse& operator=(const EventPulse&) = delete;

  BootTime last_turn() const { return state_->pulse.last(); }

 private:
  // Shared with the loop, which may be in the callback while this object goes away.
  struct State {
    explicit State(const Clock& given) : clock(given), pulse(given.boot_now()) {}
    const Clock& clock;
    Pulse pulse;
  };
  explicit EventPulse(std::shared_ptr<State> state) : state_(std::move(state)) {}
  static void on_timer(int timer, void* opaque);
  static void on_free(void* opaque);

  const std::shared_ptr<State> state_;
  int timer_ = -1;
};

}  // namespace virtmeter
