// One line collector_stats: what became of one sink's lines, and how the collector does, at the time of a
// cycle. Of the daemon only. Pure function. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/values.h"

namespace virtmeter {

struct StatsLine {
  std::string_view sink;
  std::string_view host;  // Value of the tag host; empty: no such tag.
  WallTime time;          // The cycle's.
};

// Appends the line and returns the number of lines: 1, or 0 where no value is present. An absent value is
// left out, whatever the policy for the core measurements is. Allocates nothing but room in `out`.
std::size_t encode_stats_line(const SinkValues& values, const StatsLine& line, std::string& out);

}  // namespace virtmeter
