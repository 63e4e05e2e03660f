#include "daemon/event_pulse.h"

#include <libvirt/libvirt.h>

namespace virtmeter {

Result<std::unique_ptr<EventPulse>> EventPulse::start(const Clock& clock, std::chrono::milliseconds period) {
  auto state = std::make_shared<State>(clock);
  std::unique_ptr<EventPulse> pulse(new EventPulse(state));
  auto for_loop = std::make_unique<std::shared_ptr<State>>(std::move(state));
  pulse->timer_ = virEventAddTimeout(static_cast<int>(period.count()), &on_timer, for_loop.get(), &on_free);
  if (pulse->timer_ < 0) return Error{Errc::io, "libvirt's event loop takes no timer", ""};
  static_cast<void>(for_loop.release());  // The loop's, until on_free().
  return pulse;
}

EventPulse::~EventPulse() {
  if (timer_ >= 0) virEventRemoveTimeout(timer_);
}

void EventPulse::on_timer(int, void* opaque) {
  State& state = **static_cast<std::shared_ptr<State>*>(opaque);
  state.pulse.move(state.clock.boot_now());
}

void EventPulse::on_free(void* opaque) { delete static_cast<std::shared_ptr<State>*>(opaque); }

}  // namespace virtmeter
