// Suspects: the series of lines that were refused alone. A series that was refused once is refused in each
// cycle, and it must not be searched for among thousands again each time: its lines are tried alone first.
// Only a memory: what it says costs a request, never a line. Bounded; the oldest is forgotten first. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "spool/batch.h"

namespace virtmeter {

// Measurement and tags of a line: what stands before its first space that is not escaped.
std::string_view series_of(std::string_view line);

class Suspects {
 public:
  static constexpr std::size_t kSeriesMax = 1000;

  void add(std::string_view line);
  void remove(std::string_view line);

  // Indexes of the lines in `batch` that are suspected, in order.
  std::vector<std::uint64_t> among(const Batch& batch) const;

 private:
  std::unordered_set<std::size_t> hashes_;
  std::deque<std::size_t> order_;  // The oldest first.
};

}  // namespace virtmeter
