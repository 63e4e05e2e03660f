// What `virtmeter spool status|verify` says of a spool's folder, as text for people and as JSON. Pure
// functions. Thread-safe.
#pragma once

#include <string>

#include "spool/inspect.h"

namespace virtmeter {

// Segments and bytes, then each reader's account, line for line of it.
std::string spool_status_table(const SpoolReport& report);

// {"folder", "segments": [...], "readers": [{"name", "collected", "delivered", "waiting", "in_flight",
// "dropped", "dropped_by_reason": {reason: lines}, "resent", ...}], "damage": [...], ...}.
std::string spool_report_json(const SpoolReport& report);

// One line for each segment and each damage, and a last one with the verdict.
std::string spool_verify_text(const SpoolReport& report);

// Whether anything in the folder is damaged. A torn end is what a crash leaves, and counts as damage, too.
bool is_damaged(const SpoolReport& report);

}  // namespace virtmeter
