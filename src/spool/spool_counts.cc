#include "spool/spool_counts.h"

#include <numeric>

namespace virtmeter {

std::string_view name_of(DropReason reason) {
  constexpr std::array<std::string_view, kDropReasons> kNames = {
      "evicted", "expired",  "disk_space", "memory",   "corrupt",
      "missing", "rejected", "refused",    "oversize", "shutdown"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::uint64_t DroppedByReason::total() const {
  return std::accumulate(lines.begin(), lines.end(), std::uint64_t{0});
}

}  // namespace virtmeter
