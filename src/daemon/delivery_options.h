// From settings to the options of the sinks, the spool and delivery. Pure functions. Thread-safe.
#pragma once

#include "config/settings.h"
#include "sink/delivery.h"
#include "sink/sink_table.h"
#include "spool/spool_options.h"

namespace virtmeter {

SinkOptions sink_options(const Settings& settings);
SpoolOptions spool_options(const Settings& settings);
DeliveryOptions delivery_options(const Settings& settings);

}  // namespace virtmeter
