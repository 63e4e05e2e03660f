#include "model/metric.h"

#include <gtest/gtest.h>

#include <set>

namespace virtmeter {
namespace {

TEST(Metric, GivesEveryLineItsMeasurement) {
  EXPECT_EQ(info(Line::vm_metrics).measurement, "vm_metrics");
  EXPECT_EQ(info(Line::vm_features).measurement, "vm_features");
  EXPECT_EQ(info(Line::vm_totals).measurement, "vm_totals");
  EXPECT_EQ(info(Line::nic).measurement, "vm_devices");
  EXPECT_EQ(info(Line::disk).measurement, "vm_devices");
  EXPECT_EQ(info(Line::collector_latency).measurement, "collector_latency");
}

TEST(Metric, GivesOnlyDevicesADevtype) {
  for (const LineInfo& line : kLines)
    EXPECT_EQ(line.devtype.empty(), line.measurement != "vm_devices") << line.key;
  EXPECT_EQ(info(Line::nic).devtype, "nic");
  EXPECT_EQ(info(Line::disk).devtype, "disk");
}

TEST(Metric, KeepsTheKeysOfLinesApart) {
  std::set<std::string_view> keys;
  for (const LineInfo& line : kLines) EXPECT_TRUE(keys.insert(line.key).second) << line.key;
}

TEST(Metric, NamesKindsAndTypesAsTheSchemaSaysThem) {
  EXPECT_EQ(name_of(Kind::counter), "counter");
  EXPECT_EQ(name_of(Kind::gauge), "gauge");
  EXPECT_EQ(name_of(Kind::state), "state");
  EXPECT_EQ(name_of(Type::integer), "int");
  EXPECT_EQ(name_of(Type::real), "float");
  EXPECT_EQ(name_of(Type::text), "string");
}

TEST(Metric, NamesEveryUnitDifferently) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Unit::requests_per_second); ++i) {
    const std::string_view name = name_of(static_cast<Unit>(i));
    EXPECT_FALSE(name.empty()) << i;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(name_of(Unit::none), "-");
  EXPECT_EQ(name_of(Unit::kib), "KiB");
  EXPECT_EQ(name_of(Unit::nanoseconds), "ns");
}

}  // namespace
}  // namespace virtmeter
