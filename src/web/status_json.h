// A Report as the JSON of /api/v1/status and /ready. Names are fixed: people's scripts and the conservation
// check read them. What is absent is null, bytes that are not UTF-8 become U+FFFD. Pure functions.
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "web/report.h"

namespace virtmeter {

std::string status_json(const Report& report);

// {"ready": false, "reasons": [{"what": ..., "fix": ...}]}
std::string ready_json(const std::vector<Reason>& reasons);

// {"alive": true, ...}
std::string health_json(const Report& report);

}  // namespace virtmeter
