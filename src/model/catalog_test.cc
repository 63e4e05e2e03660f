#include "model/catalog.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

std::string fields_of(Line line, Type type) {
  std::string out;
  for (MetricId id = line_rows(line).first; id < line_rows(line).end; ++id) {
    if (metric(id).type != type) continue;
    if (!out.empty()) out += ' ';
    out += metric(id).name;
  }
  return out;
}

// The users' dashboards name these fields: none may be renamed, retyped or lost.
TEST(Catalog, KeepsTheFrozenFieldsOfTheCoreMeasurements) {
  EXPECT_EQ(fields_of(Line::vm_metrics, Type::text), "state");
  EXPECT_EQ(fields_of(Line::vm_metrics, Type::integer), "cpu_count memory_max_kb memory_used_kb cputime_ns");
  EXPECT_EQ(fields_of(Line::vm_features, Type::real),
            "memory_rate_kb_per_sec memory_angle_deg net_rxbytes_rate net_rxbytes_angle_deg net_txbytes_rate "
            "net_txbytes_angle_deg net_rxpackets_rate net_rxpackets_angle_deg net_txpackets_rate "
            "net_txpackets_angle_deg disk_rd_req_rate disk_rd_req_angle_deg disk_rd_bytes_rate "
            "disk_rd_bytes_angle_deg disk_wr_reqs_rate disk_wr_reqs_angle_deg disk_wr_bytes_rate "
            "disk_wr_bytes_angle_deg");
  EXPECT_EQ(fields_of(Line::nic, Type::integer),
            "rxbytes rxpackets rxerrors rxdrops txbytes txpackets txerrors txdrops");
  EXPECT_EQ(fields_of(Line::disk, Type::integer), "rd_req rd_bytes wr_reqs wr_bytes errors");
  EXPECT_EQ(
      fields_of(Line::vm_totals, Type::integer),
      "net_rxbytes net_rxpackets net_rxerrors net_rxdrops net_txbytes net_txpackets net_txerrors net_txdrops "
      "disk_rd_req disk_rd_bytes disk_wr_reqs disk_wr_bytes disk_errors memactual memrss memavailable "
      "memusable "
      "memdisk_cache memswap_in memswap_out memmajor_fault memminor_fault timeusr timesys cpus cputime "
      "state");
  EXPECT_EQ(fields_of(Line::collector_latency, Type::real), "loop_latency_ms feature_latency_ms");
}

TEST(Catalog, HasNoFieldOfAnotherTypeThanTheFrozenOnes) {
  EXPECT_EQ(kMetricCount, 5u + 18 + 27 + 8 + 5 + 9 + 2 + 21);
  EXPECT_EQ(fields_of(Line::vm_features, Type::integer), "");
  EXPECT_EQ(fields_of(Line::vm_totals, Type::real), "");
}

TEST(Catalog, FindsARowByItsLineAndName) {
  EXPECT_EQ(metric(metric_id("nic.rxbytes")).line, Line::nic);
  EXPECT_EQ(metric(metric_id("vm_totals.state")).type, Type::integer);
  EXPECT_EQ(metric(metric_id("vm_metrics.state")).type, Type::text);
}

TEST(Catalog, FindsNothingUnderAnUnknownName) {
  for (const char* key :
       {"", "state", "nic.state", "vm_metrics.", ".state", "vm_metrics.statE", "vm_devices.rxbytes"}) {
    EXPECT_EQ(find_metric(key), kMetricCount) << key;
  }
}

TEST(Catalog, CoversEveryRowByTheRangesOfItsLines) {
  std::size_t row_count = 0;
  for (std::size_t i = 0; i < kLineCount; ++i) {
    const Line line = static_cast<Line>(i);
    row_count += line_rows(line).size();
    for (MetricId id = line_rows(line).first; id < line_rows(line).end; ++id)
      EXPECT_EQ(metric(id).line, line);
  }
  EXPECT_EQ(row_count, kMetricCount);
}

TEST(Catalog, PutsTheThreeLinesOfAVmInOneScope) {
  EXPECT_EQ(rows_of(Scope::vm).size(), line_rows(Line::vm_metrics).size() +
                                           line_rows(Line::vm_features).size() +
                                           line_rows(Line::vm_totals).size());
  EXPECT_EQ(scope_of(metric_id("vm_totals.memrss")), Scope::vm);
  EXPECT_EQ(scope_of(metric_id("disk.errors")), Scope::disk);
}

TEST(Catalog, KnowsWhichRowADerivedRowStandsOn) {
  EXPECT_EQ(kMetricOf[metric_id("vm_metrics.state")], metric_id("vm_totals.state"));
  EXPECT_EQ(kMetricOf[metric_id("vm_totals.net_rxbytes")], metric_id("nic.rxbytes"));
  EXPECT_EQ(kMetricOf[metric_id("vm_features.net_rxbytes_angle_deg")],
            metric_id("vm_features.net_rxbytes_rate"));
  EXPECT_EQ(kMetricOf[metric_id("vm_totals.cputime")], metric_id("vm_metrics.cputime_ns"));
  EXPECT_EQ(kMetricOf[metric_id("vm_totals.memrss")], kMetricCount);
}

// net_rxbytes sums rxbytes: a slip of the pen between two rows of the table would go unseen for long.
TEST(Catalog, SumsAndRatesStandOnTheRowsTheirNamesSay) {
  for (MetricId id = 0; id < kMetricCount; ++id) {
    const Metric& row = metric(id);
    if (row.origin.how != How::sum && row.origin.how != How::rate && row.origin.how != How::angle) continue;
    std::string_view of = metric(kMetricOf[id]).name;
    std::string want;
    if (row.origin.how == How::sum)
      want = std::string(info(metric(kMetricOf[id]).line).key) + "_" + std::string(of);
    if (row.origin.how == How::sum && want.starts_with("nic_")) want.replace(0, 3, "net");
    if (row.origin.how == How::rate) want = std::string(of) + "_rate";
    if (row.origin.how == How::angle) want = std::string(of.substr(0, of.size() - 5)) + "_angle_deg";
    if (row.name.starts_with("memory_")) continue;  // Its two names do not follow the rule.
    EXPECT_EQ(row.name, want);
  }
}

TEST(Catalog, CountsOnlyWhatOnlyGrows) {
  for (const Metric& row : kCatalog) {
    EXPECT_TRUE(row.type == Type::integer || row.kind != Kind::counter) << row.name;
  }
  EXPECT_EQ(metric(metric_id("vm_totals.memrss")).kind, Kind::gauge);
  EXPECT_EQ(metric(metric_id("vm_totals.memswap_in")).kind, Kind::counter);
  EXPECT_EQ(metric(metric_id("disk.rd_bytes")).kind, Kind::counter);
}

TEST(Catalog, HasARowForEachReasonToDropALine) {
  EXPECT_EQ(
      fields_of(Line::collector_stats, Type::integer),
      "collected delivered waiting in_flight dropped dropped_evicted dropped_expired dropped_disk_space "
      "dropped_memory dropped_corrupt dropped_missing dropped_rejected dropped_refused dropped_oversize "
      "dropped_shutdown retries cycles failed_cycles missed_beats vms absent_values");
}

TEST(DescribeOrigin, SaysWhereAValueComesFrom) {
  const auto check = [](MetricId id, std::string_view want) { EXPECT_EQ(describe_origin(metric(id)), want); };
  check(metric_id("vm_metrics.cputime_ns"),
        "cgroup or /proc/<pid>/stat utime+stime, else cpu.time, else info.cpuTime");
  check(metric_id("vm_metrics.memory_max_kb"), "balloon.maximum, else info.maxMem");
  check(metric_id("nic.rxbytes"), "RTM_GETSTATS tx_bytes, else net.<n>.rx.bytes, else interface.rx_bytes");
  check(metric_id("disk.wr_reqs"), "block.<n>.wr.reqs, else block.wr_req");
  check(metric_id("vm_metrics.state"), "name of vm_totals.state");
  check(metric_id("vm_totals.cpus"), "same as vm_metrics.cpu_count");
  check(metric_id("vm_totals.net_rxbytes"), "sum of nic.rxbytes");
  check(metric_id("vm_features.net_rxbytes_rate"), "change per second of vm_totals.net_rxbytes");
  check(metric_id("vm_features.net_rxbytes_angle_deg"), "degrees(atan(vm_features.net_rxbytes_rate))");
  check(metric_id("collector_latency.loop_latency_ms"), "measured by the collector");
}

}  // namespace
}  // namespace virtmeter
