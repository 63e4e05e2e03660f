// Whether a daemon does what it is for, collecting and delivering, and if not, why. Pure functions.
// Thread-safe.
#pragma once

#include <vector>

#include "web/report.h"

namespace virtmeter {

// Empty: ready. Dropped lines and a failing disk are no reason: lines that can be had do arrive.
std::vector<Reason> reasons_not_ready(const Report& report);

}  // namespace virtmeter
