// From what the parts say of themselves to the report that is shown, and to the values of the line
// collector_stats. Pure functions. Thread-safe.
#pragma once

#include "base/clock.h"
#include "daemon/collector.h"
#include "daemon/progress.h"
#include "model/values.h"
#include "sink/delivery.h"
#include "source/source.h"
#include "spool/spool_counts.h"
#include "web/report.h"

namespace virtmeter {

CollectorReport collector_report(const CollectorStatus& status, BootTime now);
SourceReport source_report(const SourceStatus& status, BootTime now);
SinkReport sink_report(const DeliveryStatus& status);
SpoolState spool_report(const SpoolStatus& status);
Reason stall_reason(const Progress::Stalled& stalled);

// `sampler` is of the cycle at hand. Allocates nothing.
SinkValues stats_values(const ReaderCounts& lines, std::uint64_t retries, const SamplerStats& sampler,
                        std::uint64_t missed_beats);

}  // namespace virtmeter
