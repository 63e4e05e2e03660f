#include "web/readiness.h"

#include <gtest/gtest.h>

#include "web/test_report.h"

namespace virtmeter {
namespace {

// The only reason there must be, as "what | fix".
std::string only_reason(const Report& report) {
  const std::vector<Reason> reasons = reasons_not_ready(report);
  if (reasons.size() != 1) return std::to_string(reasons.size()) + " reasons";
  return reasons[0].what + " | " + reasons[0].fix;
}

TEST(Readiness, HasNothingAgainstAHealthyDaemon) { EXPECT_TRUE(reasons_not_ready(healthy_report()).empty()); }

TEST(Readiness, WaitsForTheFirstCycle) {
  Report report = healthy_report();
  report.collector.cycles = 0;
  report.collector.last_cycle_age.reset();
  report.sources[0].connected = false;  // Nobody has tried yet.
  EXPECT_EQ(
      only_reason(report),
      "the first collection cycle has not ended yet | wait; if it does not end, virtmeter check says what "
      "libvirt answers");
}

TEST(Readiness, EndsWhenNoCycleHasEndedForThreeIntervals) {
  Report report = healthy_report();
  report.collector.last_cycle_age = std::chrono::seconds(15);
  EXPECT_TRUE(reasons_not_ready(report).empty());
  report.collector.last_cycle_age = std::chrono::milliseconds(15'001);
  EXPECT_EQ(only_reason(report),
            "the last collection cycle ended 15s ago, and one is due every 5s | see whether libvirt answers: "
            "virsh list; virtmeter check");
}

TEST(Readiness, EndsWithTheConnection) {
  Report report = healthy_report();
  report.sources[0].connected = false;
  report.sources[0].last_error = "E101 libvirt is not running";
  EXPECT_EQ(only_reason(report),
            "qemu:///system cannot be read: E101 libvirt is not running | virtmeter check");
}

TEST(Readiness, EndsWhenDeliveryFails) {
  Report report = healthy_report();
  make_sink_fail(report);
  EXPECT_EQ(only_reason(report),
            "delivery to http://db:8086, database vmstats fails, 20 lines wait: connect to http://db:8086: "
            "connection refused | start the database");
}

TEST(Readiness, EndsWhenAPartStalls) {
  Report report = healthy_report();
  report.stalled.push_back({"the collector has not moved for 50s", "look"});
  EXPECT_EQ(only_reason(report), "the collector has not moved for 50s | look");
}

TEST(Readiness, TellsEveryReason) {
  Report report = healthy_report();
  make_sink_fail(report);
  report.sources[0].connected = false;
  EXPECT_EQ(reasons_not_ready(report).size(), 2u);
}

}  // namespace
}  // namespace virtmeter
