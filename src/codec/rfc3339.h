// A record's time as people and every JSON reader take it. Pure function. Thread-safe.
#pragma once

#include <string>

#include "base/clock.h"

namespace virtmeter {

// "2023-11-14T22:13:20.000Z": RFC 3339 in UTC, to the millisecond.
std::string rfc3339(WallTime time);

}  // namespace virtmeter
