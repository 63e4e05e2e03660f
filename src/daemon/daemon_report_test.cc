#include "daemon/daemon_report.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::seconds;

std::string text_of(const std::vector<NamedCount>& counts) {
  std::string text;
  for (const NamedCount& entry : counts)
    text.append(entry.name).append(" ").append(std::to_string(entry.count)).append(";");
  return text;
}

DeliveryStatus busy_delivery() {
  DeliveryStatus status;
  status.sink = "influx";
  status.target = "http://db";
  status.lines.collected = 100;
  status.lines.delivered = 70;
  status.lines.waiting = 10;
  status.lines.in_flight = 5;
  status.lines.dropped[DropReason::memory] = 4;
  status.lines.dropped[DropReason::rejected] = 3;
  status.lines.dropped[DropReason::oversize] = 2;
  status.lines.dropped[DropReason::shutdown] = 6;
  status.lines.resent = 8;
  status.retries = 9;
  status.cost = {1, 2, 3};
  status.last_error = Error{Errc::io, "e", "f"};
  return status;
}

TEST(CollectorReport, CountsFromTheLastCycle) {
  CollectorStatus status;
  EXPECT_EQ(collector_report(status, {seconds(100)}).last_cycle_age, std::nullopt);
  status.last_cycle_ended = BootTime{seconds(97)};
  status.missed_beats = 2;
  status.sampler.cycles = 7;
  status.sampler.absences[static_cast<std::size_t>(Absence::busy)] = 3;
  const CollectorReport report = collector_report(status, {seconds(100)});
  EXPECT_EQ(report.last_cycle_age, seconds(3));
  EXPECT_EQ(report.cycles, 7u);
  EXPECT_EQ(report.missed_beats, 2u);
  EXPECT_EQ(text_of(report.absent_values), "busy 3;");
}

TEST(SourceReport, CarriesEveryCount) {
  SourceStatus status;
  status.target = "qemu:///system";
  status.last_error = "E101";
  status.stale_vms = 5;
  status.hung = {{"db", "u-1", {seconds(90)}}};
  const SourceReport report = source_report(status, {seconds(100)});
  EXPECT_FALSE(report.connected);
  EXPECT_EQ(report.last_error, "E101");
  EXPECT_EQ(text_of({report.counts.back()}), "stale_vms 5;");
  EXPECT_EQ(report.counts.size(), 29u);
  ASSERT_EQ(report.hung.size(), 1u);
  EXPECT_EQ(report.hung[0].hung_for, seconds(10));
}

TEST(SinkReport, ConservesWhatDeliveryCounts) {
  const SinkReport report = sink_report(busy_delivery());
  EXPECT_EQ(text_of(report.dropped),
            "evicted 0;expired 0;disk_space 0;memory 4;corrupt 0;missing 0;rejected 3;refused 0;oversize "
            "2;shutdown 6;");
  EXPECT_EQ(report.collected, report.delivered + report.waiting + report.in_flight + report.dropped_total());
  EXPECT_EQ(report.wire_bytes, 3u);
  EXPECT_EQ(text_of({report.counts[1]}), "resent 8;");
  EXPECT_EQ(report.last_error->message, "e");
}

TEST(SpoolState, SaysWhetherTheDiskTakesWhatComes) {
  SpoolStatus status;
  status.folder = "/s/spool";
  status.segments = 3;
  EXPECT_FALSE(spool_report(status).failing_since);
  status.failing_since = WallTime{5};
  status.last_error = Error{Errc::io, "write: no space", "free some"};
  const SpoolState report = spool_report(status);
  EXPECT_EQ(report.failing_since, WallTime{5});
  EXPECT_EQ(report.last_error->message, "write: no space");
  EXPECT_EQ(text_of({report.counts.front()}), "segments 3;");
}

TEST(StallReason, NamesThePartAndSinceWhen) {
  EXPECT_EQ(stall_reason({"collector", std::chrono::milliseconds(46'400)}).what,
            "the collector has not moved for 46s");
}

TEST(StatsValues, GiveEachCountItsRow) {
  SamplerStats sampler;
  sampler.cycles = 12;
  sampler.failed_cycles = 1;
  sampler.vms = 3;
  sampler.absences[static_cast<std::size_t>(Absence::busy)] = 3;
  sampler.absences[static_cast<std::size_t>(Absence::call_failed)] = 4;
  const SinkValues values = stats_values(busy_delivery().lines, busy_delivery().retries, sampler, 2);
  const auto check = [&](MetricId id, std::optional<std::int64_t> want) {
    EXPECT_EQ(values.integer(id), want) << metric(id).name;
  };
  check(metric_id("collector_stats.collected"), 100);
  check(metric_id("collector_stats.dropped"), 15);
  check(metric_id("collector_stats.dropped_memory"), 4);
  check(metric_id("collector_stats.dropped_rejected"), 3);
  check(metric_id("collector_stats.dropped_evicted"), 0);
  check(metric_id("collector_stats.retries"), 9);
  check(metric_id("collector_stats.cycles"), 12);
  check(metric_id("collector_stats.missed_beats"), 2);
  check(metric_id("collector_stats.vms"), 3);
  check(metric_id("collector_stats.absent_values"), 7);
}

TEST(StatsValues, HaveARowForEveryReasonToDrop) {
  for (const NamedCount& reason : sink_report(busy_delivery()).dropped) {
    EXPECT_NE(find_metric("collector_stats.dropped_" + std::string(reason.name)), kMetricCount)
        << reason.name;
  }
}

}  // namespace
}  // namespace virtmeter
