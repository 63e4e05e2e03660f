#include "web/readiness.h"

#include <fmt/format.h>

#include "base/text.h"

namespace virtmeter {
namespace {

using std::chrono::seconds;

// A cycle may be late once or twice, over a slow libvirt, without anybody being told.
constexpr int kIntervalsMax = 3;

void judge_collector(const CollectorReport& collector, std::vector<Reason>& reasons) {
  if (!collector.last_cycle_age) {
    reasons.push_back({"the first collection cycle has not ended yet",
                       "wait; if it does not end, virtmeter check says what libvirt answers"});
    return;
  }
  if (*collector.last_cycle_age <= kIntervalsMax * collector.interval) return;
  reasons.push_back({fmt::format("the last collection cycle ended {} ago, and one is due every {}",
                                 format_duration(std::chrono::round<seconds>(*collector.last_cycle_age)),
                                 format_duration(collector.interval)),
                     "see whether libvirt answers: virsh list; virtmeter check"});
}

void judge_source(const SourceReport& source, const CollectorReport& collector,
                  std::vector<Reason>& reasons) {
  if (source.connected || collector.cycles == 0) return;
  const std::string why = source.last_error.empty() ? "not connected" : source.last_error;
  reasons.push_back({fmt::format("{} cannot be read: {}", source.target, why), "virtmeter check"});
}

void judge_sink(const SinkReport& sink, std::vector<Reason>& reasons) {
  if (!sink.failing_since) return;
  const Error error = sink.last_error.value_or(Error{});
  reasons.push_back({fmt::format("delivery to {} fails, {} lines wait: {}", sink.target,
                                 sink.waiting + sink.in_flight, error.message),
                     error.fix});
}

}  // namespace

std::vector<Reason> reasons_not_ready(const Report& report) {
  std::vector<Reason> reasons = report.stalled;
  judge_collector(report.collector, reasons);
  for (const SourceReport& source : report.sources) judge_source(source, report.collector, reasons);
  for (const SinkReport& sink : report.sinks) judge_sink(sink, reasons);
  return reasons;
}

}  // namespace virtmeter
