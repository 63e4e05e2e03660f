// SIGTERM and SIGINT as something to wait for instead of something that interrupts. Block them before the
// first thread starts, so that every thread inherits it; SIGPIPE is ignored, and SIGHUP does not end the
// process.
#pragma once

#include <chrono>
#include <optional>

namespace virtmeter {

void block_stop_signals();

// Waits for the next of them; empty when `patience` ran out first.
std::optional<int> wait_for_stop_signal(std::optional<std::chrono::nanoseconds> patience);

}  // namespace virtmeter
