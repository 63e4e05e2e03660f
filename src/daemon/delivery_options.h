// From settings to the options of the sinks and their queue. Pure functions. Thread-safe.
#pragma once

#include "config/settings.h"
#include "sink/line_queue.h"
#include "sink/sink_table.h"

namespace virtmeter {

SinkOptions sink_options(const Settings& settings);
LineQueueOptions queue_options(const Settings& settings);

}  // namespace virtmeter
