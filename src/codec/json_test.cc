#include "codec/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "codec/test_cycle.h"

namespace virtmeter {
namespace {

using nlohmann::json;
using test::make_cycle;
using test::make_layout;
using test::make_vm;

std::string encoded(const Cycle& cycle) {
  std::string out;
  encode_json(cycle, out);
  return out;
}

json parsed(const Cycle& cycle) { return json::parse(encoded(cycle)); }

constexpr std::string_view kFirstCycle =
    R"({"time":"2023-11-14T22:13:20.000Z","unix_ns":"1700000000000000000","cycle":1,"host":null,"vms":[)"
    R"({"uuid":"11111111-1111-1111-1111-111111111111","id":7,"name":"web-1","state":"running",)"
    R"("vm_metrics":{"state":"running","cpu_count":101,"memory_max_kb":102,"memory_used_kb":103,"cputime_ns":104},)"
    R"("vm_features":null,)"
    R"("vm_totals":{"net_rxbytes":5000,"net_rxpackets":5002,"net_rxerrors":5004,"net_rxdrops":5006,)"
    R"("net_txbytes":5008,"net_txpackets":5010,"net_txerrors":5012,"net_txdrops":5014,"disk_rd_req":15000,)"
    R"("disk_rd_bytes":15003,"disk_wr_reqs":15006,"disk_wr_bytes":15009,"disk_errors":15012,"memactual":201,)"
    R"("memrss":202,"memavailable":203,"memusable":204,"memdisk_cache":205,"memswap_in":206,"memswap_out":207,)"
    R"("memmajor_fault":208,"memminor_fault":209,"timeusr":210,"timesys":211,"cpus":101,"cputime":104,"state":1},)"
    R"("vm_health":null,"devices":[)"
    R"({"devtype":"nic","device":"vnet0","rxbytes":2000,"rxpackets":2001,"rxerrors":2002,"rxdrops":2003,)"
    R"("txbytes":2004,"txpackets":2005,"txerrors":2006,"txdrops":2007},)"
    R"({"devtype":"nic","device":"vnet1","rxbytes":3000,"rxpackets":3001,"rxerrors":3002,"rxdrops":3003,)"
    R"("txbytes":3004,"txpackets":3005,"txerrors":3006,"txdrops":3007},)"
    R"({"devtype":"disk","device":"vda","rd_req":4000,"rd_bytes":4001,"wr_reqs":4002,"wr_bytes":4003,"errors":4004},)"
    R"({"devtype":"disk","device":"vdb","rd_req":5000,"rd_bytes":5001,"wr_reqs":5002,"wr_bytes":5003,"errors":5004},)"
    R"({"devtype":"disk","device":"vdc","rd_req":6000,"rd_bytes":6001,"wr_reqs":6002,"wr_bytes":6003,"errors":6004})"
    R"(]}],"collector":{"loop_latency_ms":12.25,"feature_latency_ms":0.5}})";

TEST(Json, WritesACycleAsOneLine) {
  EXPECT_EQ(encoded(make_cycle({test::vm_with_devices()})), std::string(kFirstCycle) + "\n");
}

TEST(Json, TellsOfAVmThatIsNotWell) {
  VmSample vm = test::vm_without_devices();
  test::make_hung(vm);
  EXPECT_NE(
      encoded(make_cycle({vm}))
          .find(
              R"("vm_health":{"health":"hung","health_code":3,"reason":"no_answer","reason_code":1,)"
              R"("hung_ms":12500,"cpu_age_ms":0,"memory_age_ms":12400,"nic_age_ms":null,"disk_age_ms":null,)"
              R"("absent":{"nic_age_ms":"not_read","disk_age_ms":"not_read"}})"),
      std::string::npos);
}

TEST(Json, AppendsBehindWhatIsThere) {
  std::string out = "before\n";
  encode_json(make_cycle({}), out);
  encode_json(make_cycle({}), out);
  const std::string line =
      R"({"time":"2023-11-14T22:13:20.000Z","unix_ns":"1700000000000000000","cycle":1,"host":null,"vms":[],)"
      R"("collector":{"loop_latency_ms":12.25,"feature_latency_ms":0.5}})"
      "\n";
  EXPECT_EQ(out, "before\n" + line + line);
}

TEST(Json, WritesTheTrends) {
  VmSample vm = test::vm_without_devices();
  test::add_trends(vm);
  const json features = parsed(make_cycle({vm}))["vms"][0]["vm_features"];
  EXPECT_EQ(features.size(), line_rows(Line::vm_features).size());
  EXPECT_EQ(features["memory_rate_kb_per_sec"], 0.5);
  EXPECT_EQ(features["disk_wr_bytes_angle_deg"], 17.5);
}

TEST(Json, NamesTheReasonWhyATrendIsAbsentBesideOthers) {
  VmSample vm = test::vm_without_devices();
  vm.values.set_real(metric_id("vm_features.net_rxbytes_rate"), 2.5);
  vm.values.set_real(metric_id("vm_features.net_txbytes_rate"), std::numeric_limits<double>::infinity());
  const json features = parsed(make_cycle({vm}))["vms"][0]["vm_features"];
  EXPECT_EQ(features["net_rxbytes_rate"], 2.5);
  EXPECT_EQ(features["net_txbytes_rate"], nullptr);
  EXPECT_EQ(features["absent"]["net_txbytes_rate"], "out_of_range");
  EXPECT_EQ(features["absent"]["memory_angle_deg"], "no_rate");
  EXPECT_EQ(features["absent"].size(), line_rows(Line::vm_features).size() - 1);
}

TEST(Json, WritesAbsentValuesAsNullWithTheirReason) {
  VmSample vm = make_vm(make_layout({.nics = {"vnet0", "vnet1"}}));
  vm.values.set_absent(metric_id("vm_metrics.cpu_count"), Absence::busy);
  vm.values.set_absent(metric_id("vm_totals.state"), Absence::call_failed);
  vm.nics[1].set_absent(metric_id("nic.rxbytes"), Absence::device_gone);
  complete(vm);
  const json out = parsed(make_cycle({vm}))["vms"][0];
  EXPECT_EQ(out["state"], nullptr);
  EXPECT_EQ(out["vm_metrics"],
            json::parse(R"({"state":null,"cpu_count":null,"memory_max_kb":102,"memory_used_kb":103,
      "cputime_ns":104,"absent":{"state":"call_failed","cpu_count":"busy"}})"));
  EXPECT_EQ(out["vm_totals"]["net_rxbytes"], nullptr);
  EXPECT_EQ(out["vm_totals"]["absent"],
            json::parse(R"({"net_rxbytes":"partial_sum","cpus":"busy","state":"call_failed"})"));
  EXPECT_EQ(out["devices"][1]["rxbytes"], nullptr);
  EXPECT_EQ(out["devices"][1]["absent"], json::parse(R"({"rxbytes":"device_gone"})"));
  EXPECT_FALSE(out["devices"][0].contains("absent"));
}

TEST(Json, TellsUnknownDevicesFromNone) {
  VmSample vm;
  VmLayout layout;
  layout.devices_known = false;
  vm.layout = std::make_shared<const VmLayout>(layout);
  EXPECT_EQ(parsed(make_cycle({vm}))["vms"][0]["devices"], nullptr);
  EXPECT_EQ(parsed(make_cycle({test::vm_without_devices()}))["vms"][0]["devices"], json::array());
}

TEST(Json, KeepsIntegersExactBeyondWhatADoubleHolds) {
  VmSample vm = test::vm_without_devices();
  vm.values.set_integer(metric_id("vm_metrics.cputime_ns"), 9'007'199'254'740'993);
  vm.values.set_integer(metric_id("vm_totals.memrss"), INT64_MAX);
  const std::string text = encoded(make_cycle({vm}));
  EXPECT_NE(text.find("\"cputime_ns\":9007199254740993}"), std::string::npos);
  EXPECT_NE(text.find("\"memrss\":9223372036854775807,"), std::string::npos);
}

TEST(Json, RepairsNamesThatAreNotUtf8) {
  Cycle cycle = make_cycle({make_vm(make_layout({.name = "a\xFF\"\n\\", .disks = {"v\xC3"}}))});
  cycle.host = "h\xFE";
  const std::string text = encoded(cycle);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const json out = json::parse(text);
  EXPECT_EQ(out["host"], "h\xEF\xBF\xBD");
  EXPECT_EQ(out["vms"][0]["name"], "a\xEF\xBF\xBD\"\n\\");
  EXPECT_EQ(out["vms"][0]["devices"][0]["device"], "v\xEF\xBF\xBD");
}

TEST(Json, WritesTimesInUtcToTheMillisecond) {
  const auto check = [](std::int64_t unix_ns, std::string_view want) {
    Cycle cycle = make_cycle({});
    cycle.time.unix_ns = unix_ns;
    EXPECT_EQ(parsed(cycle)["time"], want);
    EXPECT_EQ(parsed(cycle)["unix_ns"], std::to_string(unix_ns));
  };
  check(0, "1970-01-01T00:00:00.000Z");
  check(1'709'164'799'999'000'000, "2024-02-28T23:59:59.999Z");
  check(1'709'164'800'005'000'000, "2024-02-29T00:00:00.005Z");
  check(-1'000'000, "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace virtmeter
