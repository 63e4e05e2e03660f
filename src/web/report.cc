#include "web/report.h"

namespace virtmeter {

std::uint64_t SinkReport::dropped_total() const {
  std::uint64_t total = 0;
  for (const NamedCount& reason : dropped) total += reason.count;
  return total;
}

}  // namespace virtmeter
