#include "daemon/stop_grace.h"

namespace virtmeter {

std::chrono::nanoseconds stop_grace(const DeliveryStatus& delivery, const SpoolStatus& spool) {
  const bool disk_keeps_it = spool.on_disk && !spool.failing_since;
  if (delivery.failing_since && disk_keeps_it) return std::chrono::nanoseconds(0);
  return Delivery::kStopGrace;
}

}  // namespace virtmeter
