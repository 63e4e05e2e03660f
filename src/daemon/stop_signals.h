// SIGTERM, SIGINT and SIGHUP as something to wait for instead of something that interrupts. Block them before
// the first thread starts, so that every thread inherits it; SIGPIPE is ignored.
#pragma once

#include <chrono>
#include <optional>

namespace virtmeter {

void block_stop_signals();

// Waits for the next of the three; empty when `patience` ran out first.
std::optional<int> wait_for_signal(std::optional<std::chrono::nanoseconds> patience);

// The same for who has nothing to read again: SIGHUP ends nothing and is passed over.
std::optional<int> wait_for_stop_signal(std::optional<std::chrono::nanoseconds> patience);

}  // namespace virtmeter
