// What a reload may change and what has to wait for the next start, by the column of the option table. Pure
// function. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace virtmeter {

struct ReloadPlan {
  Settings settings;  // The running ones, with everything new that may count now.
  bool collector = false;
  bool sink = false;
  bool log = false;
  std::vector<std::string> changed;  // "poll_interval is 2s now"; of a secret no more than its length.
  std::vector<std::string> waiting;  // "state_dir takes effect at the next start"
};

ReloadPlan plan_reload(const Settings& running, const Settings& wanted);

}  // namespace virtmeter
