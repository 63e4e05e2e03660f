#include "codec/stats_line.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

std::string encoded(const SinkValues& values, const StatsLine& line) {
  std::string out;
  const std::size_t lines = encode_stats_line(values, line, out);
  EXPECT_EQ(lines, out.empty() ? 0u : 1u);
  return out;
}

TEST(StatsLine, HoldsWhatIsPresentInTheOrderOfTheCatalog) {
  SinkValues values;
  values.set_integer(metric_id("collector_stats.dropped"), 0);
  values.set_integer(metric_id("collector_stats.collected"), 80);
  values.set_absent(metric_id("collector_stats.vms"), Absence::call_failed);
  EXPECT_EQ(encoded(values, {"influx", "", WallTime{1'700'000'000'000'000'000}}),
            "collector_stats,sink=influx collected=80i,dropped=0i 1700000000000000000\n");
}

TEST(StatsLine, CarriesTheHostWhereTheOthersDo) {
  SinkValues values;
  values.set_integer(metric_id("collector_stats.vms"), 3);
  EXPECT_EQ(encoded(values, {"file", "hv 3", WallTime{5}}),
            "collector_stats,host=hv\\ 3,sink=file vms=3i 5\n");
}

TEST(StatsLine, IsNotWrittenWithoutAValue) { EXPECT_EQ(encoded({}, {"file", "", WallTime{5}}), ""); }

TEST(StatsLine, CanHoldEveryRow) {
  SinkValues values;
  for (MetricId id = SinkValues::kRows.first; id < SinkValues::kRows.end; ++id)
    values.set_integer(id, INT64_MAX);
  const std::string line = encoded(values, {"influx", "h", WallTime{5}});
  for (MetricId id = SinkValues::kRows.first; id < SinkValues::kRows.end; ++id) {
    EXPECT_NE(line.find(std::string(metric(id).name) + "=9223372036854775807i"), std::string::npos);
  }
}

}  // namespace
}  // namespace virtmeter
