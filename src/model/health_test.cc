#include "model/health.h"

#include <gtest/gtest.h>

#include "model/catalog.h"

namespace virtmeter {
namespace {

constexpr std::int64_t code(Health health) { return static_cast<std::int64_t>(health); }
constexpr std::int64_t code(HealthReason reason) { return static_cast<std::int64_t>(reason); }

TEST(Health, HasANameForEachCode) {
  EXPECT_EQ(health_name(code(Health::ok)), "ok");
  EXPECT_EQ(health_name(code(Health::hung)), "hung");
  EXPECT_EQ(health_name(code(Health::stale)), "stale");
  EXPECT_EQ(health_reason_name(code(HealthReason::none)), "none");
  EXPECT_EQ(health_reason_name(code(HealthReason::no_answer)), "no_answer");
  EXPECT_EQ(health_reason_name(code(HealthReason::too_many_calls)), "too_many_calls");
}

TEST(Health, SaysUnknownOfAnyOtherCode) {
  for (const std::int64_t other : {std::int64_t{-1}, std::int64_t{99}, INT64_MIN, INT64_MAX}) {
    EXPECT_EQ(health_name(other), "unknown");
    EXPECT_EQ(health_reason_name(other), "unknown");
  }
}

// The catalog's help is where people look the codes up.
TEST(Health, IsToldInFullByTheCatalog) {
  const std::string_view codes = metric(metric_id("vm_health.health_code")).help;
  for (std::int64_t i = 0; i <= code(Health::stale); ++i) {
    const std::string want = std::to_string(i) + " " + std::string(health_name(i));
    EXPECT_NE(codes.find(want), std::string_view::npos) << want;
  }
  std::string in_order;
  for (std::int64_t i = 0; i <= code(HealthReason::too_many_calls); ++i) {
    in_order.append(in_order.empty() ? "" : ", ").append(health_reason_name(i));
  }
  EXPECT_NE(metric(metric_id("vm_health.reason")).help.find(in_order), std::string_view::npos) << in_order;
}

}  // namespace
}  // namespace virtmeter
