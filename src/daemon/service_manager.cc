#include "daemon/service_manager.h"

#include <systemd/sd-daemon.h>

namespace virtmeter {

// Fails only where nobody listens, which is nobody's business.
void Systemd::notify(const std::string& state) { static_cast<void>(sd_notify(0, state.c_str())); }

std::optional<std::chrono::nanoseconds> Systemd::watchdog() const {
  std::uint64_t interval_us = 0;
  if (sd_watchdog_enabled(0, &interval_us) <= 0) return std::nullopt;
  return std::chrono::microseconds(interval_us);
}

}  // namespace virtmeter
