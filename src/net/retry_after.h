// Retry-After (RFC 9110, 10.2.3): a number of seconds or an HTTP date, as the time to wait from now on. Pure.
// Thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace virtmeter {

// Empty when `value` is neither form. A date in the past is 0 s; nothing is longer than a day.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, WallTime now);

}  // namespace virtmeter
