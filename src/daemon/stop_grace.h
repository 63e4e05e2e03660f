// How long a stop may go on to deliver. Pure function. Thread-safe.
#pragma once

#include <chrono>

#include "sink/delivery.h"
#include "spool/spool_counts.h"

namespace virtmeter {

// Nothing where delivery fails and the disk keeps what waits: it arrives after the next start as well. Else
// Delivery::kStopGrace.
std::chrono::nanoseconds stop_grace(const DeliveryStatus& delivery, const SpoolStatus& spool);

}  // namespace virtmeter
