// A daemon in good health, as a report. For tests.
#pragma once

#include "web/report.h"

namespace virtmeter {

inline Report healthy_report() {
  Report report;
  report.version = "1.2.3";
  report.pid = 4711;
  report.started = WallTime{1'700'000'000'000'000'000};
  report.uptime = std::chrono::milliseconds(90'500);
  report.collector.running = true;
  report.collector.interval = std::chrono::seconds(5);
  report.collector.cycles = 18;
  report.collector.missed_beats = 1;
  report.collector.vms = 3;
  report.collector.loop_latency_ms = 4.25;
  report.collector.last_cycle_age = std::chrono::milliseconds(2'500);
  report.collector.absent_values = {{"busy", 2}};
  report.sources.push_back({"qemu:///system", "QEMU, libvirt 9.0.0", true, "", {{"bulk_calls", 18}}, {}});
  SinkReport sink;
  sink.name = "influx";
  sink.target = "http://db:8086, database vmstats";
  sink.collected = 100;
  sink.delivered = 70;
  sink.waiting = 15;
  sink.in_flight = 5;
  sink.dropped = {{"rejected", 7}, {"memory", 3}};
  sink.waiting_bytes = 4'000;
  sink.counts = {{"resent", 6}};
  sink.retries = 2;
  sink.requests = 20;
  sink.raw_bytes = 20'000;
  sink.wire_bytes = 3'000;
  sink.last_success = WallTime{1'700'000'090'000'000'000};
  report.sinks.push_back(std::move(sink));
  return report;
}

inline void make_sink_fail(Report& report) {
  report.sinks[0].failing_since = WallTime{1'700'000'060'000'000'000};
  report.sinks[0].last_error =
      Error{Errc::unavailable, "connect to http://db:8086: connection refused", "start the database"};
}

class FixedReport final : public ReportSource {
 public:
  explicit FixedReport(Report report) : report_(std::move(report)) {}
  Report report() const override { return report_; }

 private:
  Report report_;
};

}  // namespace virtmeter
