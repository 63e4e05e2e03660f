#include "cli/status_table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "web/status_json.h"
#include "web/test_report.h"

namespace virtmeter {
namespace {

std::string table_of(const Report& report) {
  const auto view = status_view(status_json(report));
  return view ? view->table : "no status";
}

TEST(StatusTable, TellsAllThatMattersInFull) {
  EXPECT_EQ(table_of(healthy_report()),
            "virtmeter  1.2.3, process 4711, up 1m 30s: ready\n"
            "collector  3 VMs, last cycle 4.2 ms, 2s ago, one every 5.0 s\n"
            "           18 cycles, 0 failed, 1 beats missed\n"
            "           absent values: busy 2\n"
            "source     qemu:///system: QEMU, libvirt 9.0.0\n"
            "           - reconnects, - events, - calls failed\n"
            "           VMs by kernel -, by kernel in part -, by libvirt alone -\n"
            "           libvirt asked for the disks of - VMs, the balloon of -\n"
            "           device cache: - entries, - hits, - misses, - bytes\n"
            "sink       influx: http://db:8086, database vmstats\n"
            "                    100 lines collected\n"
            "                     70 delivered, last at 2023-11-14T22:14:50.000Z\n"
            "                     15 waiting, 4000 bytes\n"
            "                      5 in flight\n"
            "                     10 dropped\n"
            "           dropped: memory 3, rejected 7\n"
            "           also: resent 6\n");
}

TEST(StatusTable, SaysWhyItIsNotReadyAndWhatToDo) {
  Report report = healthy_report();
  make_sink_fail(report);
  report.sources[0].connected = false;
  report.sources[0].last_error = "E101 libvirt is not running";
  const std::string table = table_of(report);
  EXPECT_NE(table.find("up 1m 30s: NOT READY\n"
                       "           - qemu:///system cannot be read: E101 libvirt is not running\n"
                       "             fix: virtmeter check\n"
                       "           - delivery to http://db:8086, database vmstats fails, 20 lines wait: "
                       "connect to http://db:8086: connection refused\n"
                       "             fix: start the database\n"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("failing since 2023-11-14T22:14:20.000Z, 2 retries\n"), std::string::npos);
  EXPECT_NE(table.find("source     qemu:///system: not connected\n"), std::string::npos);
  EXPECT_FALSE(status_view(status_json(report))->ready);
}

TEST(StatusTable, FitsIntoEightyColumnsWhenAllIsWell) {
  Report report = healthy_report();
  report.uptime = std::chrono::hours(24 * 400);
  report.collector.cycles = report.sinks[0].collected = report.sinks[0].delivered = 123'456'789'012;
  report.spool = SpoolState{"/s", {}, {}, {}};
  report.sinks[0].dropped.clear();
  for (const char* name : {"evicted", "expired", "disk_space", "memory", "corrupt", "missing"}) {
    report.sinks[0].dropped.push_back({name, 123'456'789'012});
    report.spool->counts.push_back({name, 123'456'789'012});
  }
  std::istringstream lines(table_of(report));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

TEST(StatusTable, ShowsTheSpool) {
  Report report = healthy_report();
  report.spool = SpoolState{"/s", WallTime{0}, Error{Errc::io, "write /s: no space", ""}, {{"segments", 3}}};
  EXPECT_NE(table_of(report).find("spool      /s\n           segments 3\n           failing since "
                                  "1970-01-01T00:00:00.000Z: write /s: no space\n"),
            std::string::npos);
}

TEST(StatusTable, IsSafeForATerminal) {
  Report report = healthy_report();
  report.sources[0].target = "\x1B[31mred\n";
  EXPECT_EQ(table_of(report).find('\x1B'), std::string::npos);
}

TEST(StatusTable, RefusesWhatIsNoStatus) {
  for (const std::string_view json :
       {"", "<html>", "[]", "{}", "null", "{\"ready\": 1, \"collector\": {}, \"sinks\": []}",
        "{\"ready\": true, \"collector\": [], \"sinks\": []}", "{\"ready\": true, \"collector\": {}}"}) {
    EXPECT_FALSE(status_view(json)) << json;
  }
}

TEST(StatusTable, LivesThroughAStatusOfAnotherShape) {
  const auto view = status_view(
      R"({"ready": true, "reasons": {"a": 1}, "collector": {"vms": "x", "absent_values": [1, null]},
          "sources": "x", "sinks": [7, {"dropped_by_reason": "x", "failing_since": 3}], "spool": 4})");
  ASSERT_TRUE(view);
  EXPECT_NE(view->table.find("collector  - VMs"), std::string::npos);
}

}  // namespace
}  // namespace virtmeter
