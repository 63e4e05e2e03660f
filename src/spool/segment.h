// Segment: what is known of one segment file without reading it. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace virtmeter {

struct Segment {
  std::string name;
  std::uint64_t ordinal = 0;
  // The lines it answers for. Those of its records that the next segment begins with or before were written
  // again there, and end here.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t bytes = 0;  // What may be read.
  std::optional<WallTime> time_min;
  std::optional<WallTime> time_max;
  bool sealed = false;
  bool active = false;  // Being written.

  // When the saved cursors were first seen to want nothing of it any more.
  std::optional<BootTime> done_since;

  std::uint64_t lines() const { return end - begin; }
};

}  // namespace virtmeter
