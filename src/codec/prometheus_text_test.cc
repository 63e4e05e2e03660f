#include "codec/prometheus_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "codec/test_cycle.h"

namespace virtmeter {
namespace {

using test::make_cycle;
using test::make_layout;
using test::make_vm;

std::string encoded(const Cycle& cycle) {
  std::string out;
  encode_prometheus(cycle, out);
  return out;
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

constexpr std::string_view kBareVm =
    R"(# HELP virtmeter_vm_info Identity of an active VM; always 1.
# TYPE virtmeter_vm_info gauge
virtmeter_vm_info{uuid="22222222-2222-2222-2222-222222222222",name="bare",id="8"} 1
# HELP virtmeter_vm_vcpus Current number of vCPUs.
# TYPE virtmeter_vm_vcpus gauge
virtmeter_vm_vcpus{uuid="22222222-2222-2222-2222-222222222222",name="bare"} 101
# HELP virtmeter_vm_memory_max_bytes Maximum memory of the VM.
# TYPE virtmeter_vm_memory_max_bytes gauge
virtmeter_vm_memory_max_bytes{uuid="22222222-2222-2222-2222-222222222222",name="bare"} 104448
# HELP virtmeter_vm_memory_used_bytes Current memory of the VM: what the balloon leaves it.
# TYPE virtmeter_vm_memory_used_bytes gauge
virtmeter_vm_memory_used_bytes{uuid="22222222-2222-2222-2222-222222222222",name="bare"} 105472
# HELP virtmeter_vm_cpu_seconds_total CPU time used by the VM since it was started.
# TYPE virtmeter_vm_cpu_seconds_total counter
virtmeter_vm_cpu_seconds_total{uuid="22222222-2222-2222-2222-222222222222",name="bare"} 12.3456
# HELP virtmeter_vm_state State of the VM as libvirt's code: 0 no state, 1 running, 2 blocked, 3 paused, 4 shutdown, 5 shutoff, 6 crashed, 7 suspended.
# TYPE virtmeter_vm_state gauge
virtmeter_vm_state{uuid="22222222-2222-2222-2222-222222222222",name="bare"} 1
# HELP virtmeter_collector_loop_latency_seconds Time the collection cycle took, from the first question to the last answer.
# TYPE virtmeter_collector_loop_latency_seconds gauge
virtmeter_collector_loop_latency_seconds 0.01225
# HELP virtmeter_collector_feature_latency_seconds Time the derivation of vm_features took in this cycle.
# TYPE virtmeter_collector_feature_latency_seconds gauge
virtmeter_collector_feature_latency_seconds 5e-04
# HELP virtmeter_collector_last_cycle_timestamp_seconds When the samples of this page were read.
# TYPE virtmeter_collector_last_cycle_timestamp_seconds gauge
virtmeter_collector_last_cycle_timestamp_seconds 1700000000
)";

TEST(PrometheusText, WritesTheFamiliesOfAVmWithoutDevices) {
  VmSample vm;
  vm.layout = make_layout({.domain_id = 8, .name = "bare", .uuid_byte = 0x22});
  test::fill(vm.values, Line::vm_metrics, 101);
  vm.values.set_integer(metric_id("vm_metrics.cputime_ns"), 12'345'600'000);
  vm.values.set_integer(metric_id("vm_totals.state"), 1);
  complete(vm);
  EXPECT_EQ(encoded(make_cycle({vm})), kBareVm);
}

TEST(PrometheusText, WritesASampleForEachDevice) {
  const std::string text = encoded(make_cycle({test::vm_with_devices()}));
  const std::string vm = R"({uuid="11111111-1111-1111-1111-111111111111",name="web-1",device=)";
  EXPECT_NE(
      text.find("# HELP virtmeter_vm_nic_receive_bytes_total Bytes the guest received.\n"
                "# TYPE virtmeter_vm_nic_receive_bytes_total counter\n"
                "virtmeter_vm_nic_receive_bytes_total" +
                vm + "\"vnet0\"} 2000\n" + "virtmeter_vm_nic_receive_bytes_total" + vm + "\"vnet1\"} 3000\n" +
                "# HELP virtmeter_vm_nic_receive_packets_total Packets the guest received.\n"),
      std::string::npos);
  EXPECT_NE(text.find("virtmeter_vm_disk_write_bytes_total" + vm + "\"vda\"} 4003\n" +
                      "virtmeter_vm_disk_write_bytes_total" + vm + "\"vdb\"} 5003\n" +
                      "virtmeter_vm_disk_write_bytes_total" + vm + "\"vdc\"} 6003\n# HELP"),
            std::string::npos);
}

TEST(PrometheusText, TellsOfAVmThatIsNotWellAndOfNoOther) {
  VmSample vm = test::vm_without_devices();
  test::make_hung(vm);
  const std::string text = encoded(make_cycle({test::vm_with_devices(), vm}));
  const std::string labels = R"({uuid="22222222-2222-2222-2222-222222222222",name="bare"} )";
  EXPECT_NE(text.find("# TYPE virtmeter_vm_health gauge\nvirtmeter_vm_health" + labels + "3\n# HELP"),
            std::string::npos);
  EXPECT_TRUE(has_line(text, "virtmeter_vm_health_hung_seconds" + labels + "12.5"));
  EXPECT_TRUE(has_line(text, "virtmeter_vm_health_cpu_age_seconds" + labels + "0"));
  EXPECT_EQ(text.find("virtmeter_vm_health_nic_age_seconds"), std::string::npos);
}

// The names are part of what users build on: a change here breaks their dashboards.
TEST(PrometheusText, ExportsEachQuantityUnderItsName) {
  std::map<std::string, std::string> names;
  for (MetricId id = 0; id < kMetricCount; ++id) {
    const std::string name = prometheus_name(id);
    if (name.empty()) continue;
    const std::string row = std::string(info(metric(id).line).key) + "." + std::string(metric(id).name);
    EXPECT_TRUE(names.emplace(name, row).second) << name << " twice: " << row;
  }
  EXPECT_EQ(names,
            (std::map<std::string, std::string>{
                {"virtmeter_vm_vcpus", "vm_metrics.cpu_count"},
                {"virtmeter_vm_memory_max_bytes", "vm_metrics.memory_max_kb"},
                {"virtmeter_vm_memory_used_bytes", "vm_metrics.memory_used_kb"},
                {"virtmeter_vm_cpu_seconds_total", "vm_metrics.cputime_ns"},
                {"virtmeter_vm_memory_rss_bytes", "vm_totals.memrss"},
                {"virtmeter_vm_memory_available_bytes", "vm_totals.memavailable"},
                {"virtmeter_vm_memory_usable_bytes", "vm_totals.memusable"},
                {"virtmeter_vm_memory_disk_cache_bytes", "vm_totals.memdisk_cache"},
                {"virtmeter_vm_memory_swap_in_bytes_total", "vm_totals.memswap_in"},
                {"virtmeter_vm_memory_swap_out_bytes_total", "vm_totals.memswap_out"},
                {"virtmeter_vm_memory_major_faults_total", "vm_totals.memmajor_fault"},
                {"virtmeter_vm_memory_minor_faults_total", "vm_totals.memminor_fault"},
                {"virtmeter_vm_cpu_user_seconds_total", "vm_totals.timeusr"},
                {"virtmeter_vm_cpu_system_seconds_total", "vm_totals.timesys"},
                {"virtmeter_vm_state", "vm_totals.state"},
                {"virtmeter_vm_nic_receive_bytes_total", "nic.rxbytes"},
                {"virtmeter_vm_nic_receive_packets_total", "nic.rxpackets"},
                {"virtmeter_vm_nic_receive_errors_total", "nic.rxerrors"},
                {"virtmeter_vm_nic_receive_dropped_packets_total", "nic.rxdrops"},
                {"virtmeter_vm_nic_transmit_bytes_total", "nic.txbytes"},
                {"virtmeter_vm_nic_transmit_packets_total", "nic.txpackets"},
                {"virtmeter_vm_nic_transmit_errors_total", "nic.txerrors"},
                {"virtmeter_vm_nic_transmit_dropped_packets_total", "nic.txdrops"},
                {"virtmeter_vm_disk_read_requests_total", "disk.rd_req"},
                {"virtmeter_vm_disk_read_bytes_total", "disk.rd_bytes"},
                {"virtmeter_vm_disk_write_requests_total", "disk.wr_reqs"},
                {"virtmeter_vm_disk_write_bytes_total", "disk.wr_bytes"},
                {"virtmeter_vm_disk_errors_total", "disk.errors"},
                {"virtmeter_vm_health", "vm_health.health_code"},
                {"virtmeter_vm_health_reason", "vm_health.reason_code"},
                {"virtmeter_vm_health_hung_seconds", "vm_health.hung_ms"},
                {"virtmeter_vm_health_cpu_age_seconds", "vm_health.cpu_age_ms"},
                {"virtmeter_vm_health_memory_age_seconds", "vm_health.memory_age_ms"},
                {"virtmeter_vm_health_nic_age_seconds", "vm_health.nic_age_ms"},
                {"virtmeter_vm_health_disk_age_seconds", "vm_health.disk_age_ms"},
                {"virtmeter_collector_loop_latency_seconds", "collector_latency.loop_latency_ms"},
                {"virtmeter_collector_feature_latency_seconds", "collector_latency.feature_latency_ms"},
            }));
}

TEST(PrometheusText, WritesNoSampleForAnAbsentValue) {
  VmSample vm = make_vm(make_layout({.nics = {"vnet0", "vnet1"}}));
  vm.values.set_absent(metric_id("vm_totals.memrss"), Absence::unsupported);
  vm.nics[0].set_absent(metric_id("nic.rxbytes"), Absence::call_failed);
  const std::string text = encoded(make_cycle({vm}));
  EXPECT_EQ(text.find("memory_rss"), std::string::npos);
  EXPECT_EQ(
      text.find(
          "receive_bytes_total{uuid=\"11111111-1111-1111-1111-111111111111\",name=\"web-1\",device=\"vnet0"),
      std::string::npos);
  EXPECT_TRUE(
      has_line(text,
               "virtmeter_vm_nic_receive_bytes_total"
               "{uuid=\"11111111-1111-1111-1111-111111111111\",name=\"web-1\",device=\"vnet1\"} 3000"));
}

TEST(PrometheusText, WritesNoSampleForANumberThatIsNotFinite) {
  Cycle cycle = make_cycle({});
  cycle.collector.set_real(metric_id("collector_latency.loop_latency_ms"),
                           std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(encoded(cycle).find("loop_latency"), std::string::npos);
}

TEST(PrometheusText, EscapesLabelValues) {
  const std::string text = encoded(make_cycle({make_vm(make_layout({.name = "a\"b\\c\nd=,{}"}))}));
  EXPECT_TRUE(has_line(
      text, R"(virtmeter_vm_vcpus{uuid="11111111-1111-1111-1111-111111111111",name="a\"b\\c\nd=,{}"} 101)"));
}

// One label value that is not UTF-8 costs Prometheus the whole scrape.
TEST(PrometheusText, RepairsLabelValuesThatAreNotUtf8) {
  const std::string text = encoded(make_cycle({make_vm(make_layout({.name = "a\xFF\xC3z\xC3\xA9"}))}));
  EXPECT_NE(text.find("name=\"a\xEF\xBF\xBD\xEF\xBF\xBDz\xC3\xA9\""), std::string::npos);
}

TEST(PrometheusText, CutsLabelValuesBetweenCharacters) {
  const std::string text =
      encoded(make_cycle({make_vm(make_layout({.name = std::string(255, '"') + "\xC3\xA9"}))}));
  std::string want;
  for (int i = 0; i < 255; ++i) want += "\\\"";
  EXPECT_NE(text.find("name=\"" + want + "\"}"), std::string::npos);
}

TEST(PrometheusText, AddsTheHostWhereTheCycleHasOne) {
  Cycle cycle = make_cycle({test::vm_with_devices()});
  cycle.host = "kvm1";
  const std::string text = encoded(cycle);
  EXPECT_TRUE(has_line(
      text,
      "virtmeter_vm_vcpus{uuid=\"11111111-1111-1111-1111-111111111111\",name=\"web-1\",host=\"kvm1\"} 101"));
  EXPECT_TRUE(has_line(text, "virtmeter_collector_loop_latency_seconds{host=\"kvm1\"} 0.01225"));
  EXPECT_NE(text.find("name=\"web-1\",host=\"kvm1\",device=\"vda\"}"), std::string::npos);
}

TEST(PrometheusText, WritesTimesAndSizesExactly) {
  const auto check = [](std::int64_t cputime_ns, std::int64_t memory_kib, const std::string& want_seconds,
                        const std::string& want_bytes) {
    VmSample vm = make_vm(make_layout({}));
    vm.values.set_integer(metric_id("vm_metrics.cputime_ns"), cputime_ns);
    vm.values.set_integer(metric_id("vm_metrics.memory_max_kb"), memory_kib);
    const std::string text = encoded(make_cycle({vm}));
    const std::string labels = "{uuid=\"11111111-1111-1111-1111-111111111111\",name=\"web-1\"} ";
    EXPECT_TRUE(has_line(text, "virtmeter_vm_cpu_seconds_total" + labels + want_seconds)) << want_seconds;
    EXPECT_TRUE(has_line(text, "virtmeter_vm_memory_max_bytes" + labels + want_bytes)) << want_bytes;
  };
  check(0, 0, "0", "0");
  check(1, 1, "0.000000001", "1024");
  check(1'500'000'000, 4'194'304, "1.5", "4294967296");
  check(INT64_MAX, INT64_MAX / 1024, "9223372036.854775807", "9223372036854774784");
  check(-1'500'000'000, INT64_MAX, "-1.5", "9.44473296573929e+21");
}

TEST(PrometheusText, KeepsEachFamilyTogetherUnderOneHeader) {
  const std::string text = encoded(make_cycle({test::vm_with_devices(), test::vm_without_devices()}));
  std::set<std::string> ended;
  std::string current;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) continue;
    const bool header = line.starts_with("# HELP ");
    const std::string name =
        header ? line.substr(7, line.find(' ', 7) - 7) : line.substr(0, line.find_first_of("{ "));
    if (header) {
      EXPECT_TRUE(ended.insert(name).second) << name;
      current = name;
    }
    EXPECT_EQ(name, current);
  }
  EXPECT_EQ(ended.size(), 32u);
}

}  // namespace
}  // namespace virtmeter
