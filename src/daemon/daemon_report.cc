#include "daemon/daemon_report.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace virtmeter {
namespace {

std::vector<NamedCount> absences_of(const AbsenceCounts& absences) {
  std::vector<NamedCount> counts;
  for (std::size_t i = 0; i < absences.size(); ++i) {
    if (absences[i] > 0) counts.push_back({name_of(static_cast<Absence>(i)), absences[i]});
  }
  return counts;
}

std::vector<NamedCount> dropped_of(const DroppedByReason& dropped) {
  std::vector<NamedCount> counts;
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    const auto reason = static_cast<DropReason>(i);
    counts.push_back({name_of(reason), dropped[reason]});
  }
  return counts;
}

// The row of each reason; kMetricCount: it has none.
using DroppedRows = std::array<MetricId, kDropReasons>;

DroppedRows dropped_rows() {
  DroppedRows rows{};
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    const auto reason = name_of(static_cast<DropReason>(i));
    rows[i] = static_cast<MetricId>(find_metric(fmt::format("collector_stats.dropped_{}", reason)));
  }
  return rows;
}

std::vector<HungVmReport> hung_of(const SourceStatus& status, BootTime now) {
  std::vector<HungVmReport> hung;
  for (const HungVm& vm : status.hung) hung.push_back({vm.name, vm.uuid, now - vm.since});
  return hung;
}

}  // namespace

CollectorReport collector_report(const CollectorStatus& status, BootTime now) {
  CollectorReport report;
  report.running = status.running;
  report.interval = status.interval;
  report.cycles = status.sampler.cycles;
  report.failed_cycles = status.sampler.failed_cycles;
  report.missed_beats = status.missed_beats;
  report.vms = status.sampler.vms;
  report.unknown_states = status.sampler.unknown_states;
  report.loop_latency_ms = status.sampler.loop_latency_ms;
  if (status.last_cycle_ended) report.last_cycle_age = now - *status.last_cycle_ended;
  report.absent_values = absences_of(status.sampler.absences);
  return report;
}

SourceReport source_report(const SourceStatus& status, BootTime now) {
  return {status.target,
          status.version,
          status.connected,
          status.last_error,
          {{"reconnects", status.reconnects},
           {"events", status.events},
           {"bulk_calls", status.bulk_calls},
           {"fallback_calls", status.fallback_calls},
           {"failed_calls", status.failed_calls},
           {"vms_vanished", status.vms_vanished},
           {"vms_unread", status.vms_unread},
           {"cache_entries", status.cache_entries},
           {"cache_hits", status.cache_hits},
           {"cache_misses", status.cache_misses},
           {"cache_bytes", status.cache_bytes},
           {"xml_reads", status.xml_reads},
           {"xml_failures", status.xml_failures},
           {"cancelled_calls", status.cancelled_calls},
           {"kernel_vms", status.tiers.kernel_vms},
           {"mixed_vms", status.tiers.mixed_vms},
           {"libvirt_vms", status.tiers.libvirt_vms},
           {"balloon_vms", status.tiers.balloon_vms},
           {"block_vms", status.tiers.block_vms},
           {"kernel_not_found", status.fast.vms_not_found},
           {"kernel_ambiguous", status.fast.vms_ambiguous},
           {"kernel_refused", status.fast.vms_refused},
           {"kernel_over_file_limit", status.fast.vms_over_file_limit},
           {"kernel_foreign_networks", status.fast.foreign_networks},
           {"kernel_files", status.fast.files_open},
           {"kernel_failed_dumps", status.fast.failed_dumps},
           {"hung_vms", status.hung_vms},
           {"busy_vms", status.busy_vms},
           {"stale_vms", status.stale_vms}},
          hung_of(status, now)};
}

SinkReport sink_report(const DeliveryStatus& status) {
  SinkReport report;
  report.name = status.sink;
  report.target = status.target;
  report.collected = status.lines.collected;
  report.delivered = status.lines.delivered;
  report.waiting = status.lines.waiting;
  report.in_flight = status.lines.in_flight;
  report.dropped = dropped_of(status.lines.dropped);
  report.waiting_bytes = status.lines.waiting_bytes;
  report.retries = status.retries;
  report.counts = {{"backlog", status.lines.backlog},
                   {"resent", status.lines.resent},
                   {"replays", status.replays},
                   {"dead_letters", status.dead_letters.written},
                   {"dead_letters_unwritten", status.dead_letters.unwritten}};
  report.oldest_waiting = status.lines.oldest_waiting;
  report.next_try = status.next_try;
  report.requests = status.cost.requests;
  report.raw_bytes = status.cost.raw_bytes;
  report.wire_bytes = status.cost.wire_bytes;
  report.failing_since = status.failing_since;
  report.last_success = status.last_success;
  report.last_error = status.last_error;
  return report;
}

SpoolState spool_report(const SpoolStatus& status) {
  SpoolState report;
  report.folder = status.folder;
  report.failing_since = status.failing_since;
  report.last_error = status.last_error;
  report.counts = {{"segments", status.segments},
                   {"bytes", status.bytes},
                   {"memory_lines", status.memory_lines},
                   {"memory_bytes", status.memory_bytes},
                   {"unwritten_lines", status.unwritten_lines},
                   {"appended_lines", status.appended_lines},
                   {"segments_evicted", status.segments_evicted},
                   {"disk_errors", status.disk_errors},
                   {"torn_bytes", status.torn_bytes},
                   {"files_set_aside", status.files_set_aside},
                   {"files_ignored", status.files_ignored}};
  return report;
}

Reason stall_reason(const Progress::Stalled& stalled) {
  return {fmt::format("the {} has not moved for {}", stalled.part,
                      format_duration(std::chrono::round<std::chrono::seconds>(stalled.still))),
          "look at what it waits for: virtmeter status; the last lines of the log"};
}

SinkValues stats_values(const ReaderCounts& lines, std::uint64_t retries, const SamplerStats& sampler,
                        std::uint64_t missed_beats) {
  static const DroppedRows kDroppedRows = dropped_rows();
  SinkValues values;
  values.set_unsigned(metric_id("collector_stats.collected"), lines.collected);
  values.set_unsigned(metric_id("collector_stats.delivered"), lines.delivered);
  values.set_unsigned(metric_id("collector_stats.waiting"), lines.waiting);
  values.set_unsigned(metric_id("collector_stats.in_flight"), lines.in_flight);
  values.set_unsigned(metric_id("collector_stats.dropped"), lines.dropped.total());
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    if (kDroppedRows[i] != kMetricCount) values.set_unsigned(kDroppedRows[i], lines.dropped.lines[i]);
  }
  values.set_unsigned(metric_id("collector_stats.retries"), retries);
  values.set_unsigned(metric_id("collector_stats.cycles"), sampler.cycles);
  values.set_unsigned(metric_id("collector_stats.failed_cycles"), sampler.failed_cycles);
  values.set_unsigned(metric_id("collector_stats.missed_beats"), missed_beats);
  values.set_unsigned(metric_id("collector_stats.vms"), sampler.vms);
  std::uint64_t absent = 0;
  for (const std::uint64_t count : sampler.absences) absent += count;
  values.set_unsigned(metric_id("collector_stats.absent_values"), absent);
  return values;
}

}  // namespace virtmeter
