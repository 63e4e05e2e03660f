#include "web/status_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "web/test_report.h"

namespace virtmeter {
namespace {

TEST(StatusJson, HasTheNamesThatPeopleReadInFull) {
  EXPECT_EQ(status_json(healthy_report()), R"({
  "version": "1.2.3",
  "pid": 4711,
  "started": "2023-11-14T22:13:20.000Z",
  "uptime_seconds": 90.5,
  "ready": true,
  "reasons": [],
  "collector": {
    "running": true,
    "interval_seconds": 5.0,
    "cycles": 18,
    "failed_cycles": 0,
    "missed_beats": 1,
    "last_cycle_age_seconds": 2.5,
    "loop_latency_ms": 4.25,
    "vms": 3,
    "unknown_states": 0,
    "absent_values": {
      "busy": 2
    }
  },
  "sources": [
    {
      "target": "qemu:///system",
      "connected": true,
      "version": "QEMU, libvirt 9.0.0",
      "last_error": null,
      "bulk_calls": 18,
      "hung": []
    }
  ],
  "sinks": [
    {
      "name": "influx",
      "target": "http://db:8086, database vmstats",
      "collected": 100,
      "delivered": 70,
      "waiting": 15,
      "in_flight": 5,
      "dropped": 10,
      "dropped_by_reason": {
        "rejected": 7,
        "memory": 3
      },
      "waiting_bytes": 4000,
      "oldest_waiting": null,
      "resent": 6,
      "retries": 2,
      "requests": 20,
      "raw_bytes": 20000,
      "wire_bytes": 3000,
      "failing_since": null,
      "last_success": "2023-11-14T22:14:50.000Z",
      "next_try": null,
      "last_error": null
    }
  ],
  "spool": null
}
)");
}

TEST(StatusJson, SaysWhatFails) {
  Report report = healthy_report();
  make_sink_fail(report);
  report.spool =
      SpoolState{"/s", WallTime{0}, Error{Errc::io, "write /s: no space", "free some"}, {{"segments", 3}}};
  const auto json = nlohmann::json::parse(status_json(report));
  EXPECT_EQ(json["ready"], false);
  EXPECT_EQ(json["reasons"][0]["fix"], "start the database");
  EXPECT_EQ(json["sinks"][0]["failing_since"], "2023-11-14T22:14:20.000Z");
  EXPECT_EQ(json["sinks"][0]["last_error"]["what"], "connect to http://db:8086: connection refused");
  EXPECT_EQ(json["spool"]["last_error"]["what"], "write /s: no space");
  EXPECT_EQ(json["spool"]["segments"], 3);
}

TEST(StatusJson, SurvivesBytesThatAreNoText) {
  Report report = healthy_report();
  report.sources[0].last_error = "\xFF</script>\"\n";
  const auto json = nlohmann::json::parse(status_json(report));
  EXPECT_EQ(json["sources"][0]["last_error"], "\xEF\xBF\xBD</script>\"\n");
}

TEST(ReadyJson, CarriesWhatAndFix) {
  EXPECT_EQ(ready_json({}), "{\n  \"ready\": true,\n  \"reasons\": []\n}\n");
  EXPECT_EQ(ready_json({{"w", "f"}}),
            "{\n  \"ready\": false,\n  \"reasons\": [\n    {\n      \"what\": \"w\",\n      \"fix\": \"f\"\n"
            "    }\n  ]\n}\n");
}

TEST(HealthJson, SaysWhoLives) {
  EXPECT_EQ(
      health_json(healthy_report()),
      "{\n  \"alive\": true,\n  \"version\": \"1.2.3\",\n  \"pid\": 4711,\n  \"uptime_seconds\": 90.5\n}\n");
}

}  // namespace
}  // namespace virtmeter
