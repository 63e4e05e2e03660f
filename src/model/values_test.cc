#include "model/values.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace virtmeter {
namespace {

constexpr MetricId kRss = metric_id("vm_totals.memrss");
constexpr MetricId kUsed = metric_id("vm_metrics.memory_used_kb");
constexpr MetricId kRate = metric_id("vm_features.net_rxbytes_rate");

TEST(Values, HasNothingAtFirst) {
  const VmValues values;
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) {
    EXPECT_FALSE(values.has(id));
    EXPECT_EQ(values.absence(id), Absence::not_read);
    EXPECT_EQ(values.integer(id), std::nullopt);
    EXPECT_EQ(values.real(id), std::nullopt);
  }
}

TEST(Values, KeepsIntegersExactly) {
  VmValues values;
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{INT64_MAX}, std::int64_t{INT64_MIN}}) {
    values.set_integer(kRss, value);
    EXPECT_EQ(values.integer(kRss), value);
    EXPECT_EQ(values.integer_or_remainder(kRss), value);
    EXPECT_TRUE(values.has(kRss));
  }
  EXPECT_FALSE(values.has(kUsed));
}

TEST(Values, KeepsRealsBitByBit) {
  VmValues values;
  for (const double value : {0.0, -0.0, 0.1, -1e300, std::numeric_limits<double>::denorm_min()}) {
    values.set_real(kRate, value);
    ASSERT_TRUE(values.real(kRate));
    EXPECT_EQ(std::bit_cast<std::uint64_t>(*values.real(kRate)), std::bit_cast<std::uint64_t>(value));
  }
}

TEST(Values, RefusesAnUnsignedThatIsADriversMinusOne) {
  VmValues values;
  values.set_unsigned(kRss, static_cast<std::uint64_t>(INT64_MAX));
  EXPECT_EQ(values.integer(kRss), INT64_MAX);
  values.set_unsigned(kRss, UINT64_MAX);
  EXPECT_EQ(values.absence(kRss), Absence::out_of_range);
  EXPECT_EQ(values.integer(kRss), std::nullopt);
  EXPECT_EQ(values.integer_or_remainder(kRss), 0);
}

TEST(Values, ForgetsAValueThatBecomesAbsent) {
  VmValues values;
  values.set_integer(kRss, 5);
  values.set_absent(kRss, Absence::busy);
  EXPECT_EQ(values.integer(kRss), std::nullopt);
  EXPECT_EQ(values.absence(kRss), Absence::busy);
  EXPECT_EQ(values.integer_or_remainder(kRss), 0);
}

TEST(Values, GivesARemainderOnlyToWhomAsksForIt) {
  VmValues values;
  values.set_remainder(kRss, 7, Absence::partial_sum);
  EXPECT_EQ(values.integer(kRss), std::nullopt);
  EXPECT_FALSE(values.has(kRss));
  EXPECT_EQ(values.absence(kRss), Absence::partial_sum);
  EXPECT_EQ(values.integer_or_remainder(kRss), 7);
}

TEST(Values, ExplainsOnlyWhatNobodyHasSet) {
  VmValues values;
  values.set_integer(kRss, 5);
  values.set_absent(kUsed, Absence::busy);
  values.explain_unread(Absence::unsupported);
  EXPECT_EQ(values.integer(kRss), 5);
  EXPECT_EQ(values.absence(kUsed), Absence::busy);
  EXPECT_EQ(values.absence(kRate), Absence::unsupported);
}

TEST(Values, HoldsTheRowsOfItsScopeOnly) {
  EXPECT_EQ(NicValues::kRows.size(), 8u);
  EXPECT_EQ(DiskValues::kRows.size(), 5u);
  EXPECT_EQ(CollectorValues::kRows.size(), 2u);
}

TEST(ValuesDeathTest, EndsTheProgramForARowOfAnotherScope) {
  NicValues values;
  EXPECT_DEATH(values.set_integer(kRss, 1), "id >= kRows.first");
  EXPECT_DEATH(static_cast<void>(values.has(metric_id("disk.errors"))), "id < kRows.end");
}

TEST(Absence, HasANameForEveryReason) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kAbsenceCount; ++i) {
    const std::string_view name = name_of(static_cast<Absence>(i));
    EXPECT_FALSE(name.empty()) << i;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(name_of(static_cast<Absence>(kAbsenceCount)), "");
}

}  // namespace
}  // namespace virtmeter
