#include "daemon/stop_signals.h"

#include <csignal>
#include <ctime>

namespace virtmeter {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  return set;
}

int wait_once(const sigset_t& set, const std::optional<std::chrono::nanoseconds>& patience) {
  if (!patience) return sigwaitinfo(&set, nullptr);
  const timespec timeout{static_cast<time_t>(patience->count() / 1'000'000'000),
                         patience->count() % 1'000'000'000};
  return sigtimedwait(&set, nullptr, &timeout);
}

}  // namespace

void block_stop_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::optional<int> wait_for_signal(std::optional<std::chrono::nanoseconds> patience) {
  const sigset_t set = stop_signals();
  for (;;) {
    const int signal = wait_once(set, patience);
    if (signal > 0) return signal;
    // EINTR, after a stop and a continue, is no timeout; but whoever is patient looks around anyway.
    if (patience) return std::nullopt;
  }
}

std::optional<int> wait_for_stop_signal(std::optional<std::chrono::nanoseconds> patience) {
  for (;;) {
    const std::optional<int> signal = wait_for_signal(patience);
    if (signal != SIGHUP) return signal;
  }
}

}  // namespace virtmeter
