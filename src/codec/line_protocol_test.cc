#include "codec/line_protocol.h"

#include <gtest/gtest.h>

#include <limits>

#include "codec/test_cycle.h"

namespace virtmeter {
namespace {

using test::LayoutParts;
using test::make_cycle;
using test::make_layout;
using test::make_vm;

constexpr std::string_view kMetricsLine =
    "vm_metrics,VMID=7,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
    "state=\"running\",cpu_count=101i,memory_max_kb=102i,memory_used_kb=103i,cputime_ns=104i "
    "1700000000000000000\n";

constexpr std::string_view kFeaturesLine =
    "vm_features,VMID=7,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
    "memory_rate_kb_per_sec=0.5,memory_angle_deg=1.5,net_rxbytes_rate=2.5,net_rxbytes_angle_deg=3.5,"
    "net_txbytes_rate=4.5,net_txbytes_angle_deg=5.5,net_rxpackets_rate=6.5,net_rxpackets_angle_deg=7.5,"
    "net_txpackets_rate=8.5,net_txpackets_angle_deg=9.5,disk_rd_req_rate=10.5,disk_rd_req_angle_deg=11.5,"
    "disk_rd_bytes_rate=12.5,disk_rd_bytes_angle_deg=13.5,disk_wr_reqs_rate=14.5,disk_wr_reqs_angle_deg=15.5,"
    "disk_wr_bytes_rate=16.5,disk_wr_bytes_angle_deg=17.5 1700000000000000000\n";

constexpr std::string_view kDeviceAndTotalsLines =
    "vm_devices,VMID=7,device=vnet0,devtype=nic,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
    "rxbytes=2000i,rxpackets=2001i,rxerrors=2002i,rxdrops=2003i,txbytes=2004i,txpackets=2005i,txerrors=2006i,"
    "txdrops=2007i 1700000000000000000\n"
    "vm_devices,VMID=7,device=vnet1,devtype=nic,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
    "rxbytes=3000i,rxpackets=3001i,rxerrors=3002i,rxdrops=3003i,txbytes=3004i,txpackets=3005i,txerrors=3006i,"
    "txdrops=3007i 1700000000000000000\n"
    "vm_devices,VMID=7,device=vda,devtype=disk,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
    "rd_req=4000i,rd_bytes=4001i,wr_reqs=4002i,wr_bytes=4003i,errors=4004i 1700000000000000000\n"
    "vm_devices,VMID=7,device=vdb,devtype=disk,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
    "rd_req=5000i,rd_bytes=5001i,wr_reqs=5002i,wr_bytes=5003i,errors=5004i 1700000000000000000\n"
    "vm_devices,VMID=7,device=vdc,devtype=disk,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
    "rd_req=6000i,rd_bytes=6001i,wr_reqs=6002i,wr_bytes=6003i,errors=6004i 1700000000000000000\n"
    "vm_totals,VMID=7,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
    "net_rxbytes=5000i,net_rxpackets=5002i,net_rxerrors=5004i,net_rxdrops=5006i,net_txbytes=5008i,"
    "net_txpackets=5010i,net_txerrors=5012i,net_txdrops=5014i,disk_rd_req=15000i,disk_rd_bytes=15003i,"
    "disk_wr_reqs=15006i,disk_wr_bytes=15009i,disk_errors=15012i,memactual=201i,memrss=202i,memavailable="
    "203i,"
    "memusable=204i,memdisk_cache=205i,memswap_in=206i,memswap_out=207i,memmajor_fault=208i,memminor_fault="
    "209i,"
    "timeusr=210i,timesys=211i,cpus=101i,cputime=104i,state=1i 1700000000000000000\n";

constexpr std::string_view kCollectorLine =
    "collector_latency loop_latency_ms=12.25,feature_latency_ms=0.5 1700000000000000000\n";

struct Encoded {
  std::string text;
  std::size_t lines = 0;
};

Encoded encoded(const Cycle& cycle, MissingPolicy missing = MissingPolicy::zero) {
  LineProtocolEncoder encoder({.missing = missing});
  Encoded out;
  out.lines = encoder.encode(cycle, out.text);
  EXPECT_EQ(out.lines, static_cast<std::size_t>(std::count(out.text.begin(), out.text.end(), '\n')));
  return out;
}

// The line that begins with `head`, without its LF.
std::string line_of(const std::string& text, const std::string& head) {
  const std::size_t start = text.starts_with(head) ? 0 : text.find("\n" + head);
  if (start == std::string::npos) return "none";
  const std::size_t from = start == 0 ? 0 : start + 1;
  return text.substr(from, text.find('\n', from) - from);
}

TEST(LineProtocol, WritesSevenLinesForAVmInItsFirstCycle) {
  const Encoded out = encoded(make_cycle({test::vm_with_devices()}));
  EXPECT_EQ(out.text, std::string(kMetricsLine).append(kDeviceAndTotalsLines).append(kCollectorLine));
  EXPECT_EQ(out.lines, 8u);
}

TEST(LineProtocol, WritesTheTrendsBehindTheBasicState) {
  VmSample vm = test::vm_with_devices();
  test::add_trends(vm);
  const Encoded out = encoded(make_cycle({vm}));
  EXPECT_EQ(
      out.text,
      std::string(kMetricsLine).append(kFeaturesLine).append(kDeviceAndTotalsLines).append(kCollectorLine));
  EXPECT_EQ(out.lines, 9u);
}

TEST(LineProtocol, WritesTotalsForAVmWithoutDevices) {
  EXPECT_EQ(
      encoded(make_cycle({test::vm_without_devices()})).text,
      "vm_metrics,VMID=8,name=bare,uuid=22222222-2222-2222-2222-222222222222 "
      "state=\"running\",cpu_count=101i,memory_max_kb=102i,memory_used_kb=103i,cputime_ns=104i "
      "1700000000000000000\n"
      "vm_totals,VMID=8,name=bare,uuid=22222222-2222-2222-2222-222222222222 "
      "net_rxbytes=0i,net_rxpackets=0i,net_rxerrors=0i,net_rxdrops=0i,net_txbytes=0i,net_txpackets=0i,"
      "net_txerrors=0i,net_txdrops=0i,disk_rd_req=0i,disk_rd_bytes=0i,disk_wr_reqs=0i,disk_wr_bytes=0i,"
      "disk_errors=0i,memactual=201i,memrss=202i,memavailable=203i,memusable=204i,memdisk_cache=205i,"
      "memswap_in=206i,memswap_out=207i,memmajor_fault=208i,memminor_fault=209i,timeusr=210i,timesys=211i,"
      "cpus=101i,cputime=104i,state=1i 1700000000000000000\n" +
          std::string(kCollectorLine));
}

TEST(LineProtocol, WritesSeventyLinesForTenVmsAndEightyLater) {
  std::vector<VmSample> vms;
  for (int i = 0; i < 10; ++i) {
    vms.push_back(make_vm(make_layout({.domain_id = i, .nics = {"a", "b"}, .disks = {"vda", "vdb", "vdc"}})));
  }
  EXPECT_EQ(encoded(make_cycle(vms)).lines, 70u + 1);
  for (VmSample& vm : vms) test::add_trends(vm);
  EXPECT_EQ(encoded(make_cycle(vms)).lines, 80u + 1);
}

TEST(LineProtocol, WritesTheCollectorAloneWithoutVms) {
  EXPECT_EQ(encoded(make_cycle({})).text, kCollectorLine);
}

TEST(LineProtocol, WritesNothingWhereNothingIsKnown) {
  const Encoded out = encoded(Cycle{});
  EXPECT_EQ(out.text, "");
  EXPECT_EQ(out.lines, 0u);
}

TEST(LineProtocol, AppendsBehindWhatIsThere) {
  LineProtocolEncoder encoder({});
  std::string out = "before\n";
  encoder.encode(make_cycle({}), out);
  EXPECT_EQ(out, "before\n" + std::string(kCollectorLine));
}

TEST(LineProtocol, AddsTheHostAsATag) {
  Cycle cycle = make_cycle({test::vm_with_devices()});
  cycle.host = "kvm 1";
  const std::string text = encoded(cycle).text;
  EXPECT_NE(line_of(text, "vm_metrics,VMID=7,host=kvm\\ 1,name=web-1,uuid=1"), "none");
  EXPECT_NE(line_of(text, "vm_devices,VMID=7,device=vnet0,devtype=nic,host=kvm\\ 1,name=web-1,uuid=1"),
            "none");
  EXPECT_NE(line_of(text, "vm_totals,VMID=7,host=kvm\\ 1,name=web-1,uuid=1"), "none");
  EXPECT_EQ(line_of(text, "collector_latency"), kCollectorLine.substr(0, kCollectorLine.size() - 1));
}

TEST(LineProtocol, FollowsAHostThatIsRenamed) {
  LineProtocolEncoder encoder({});
  Cycle cycle = make_cycle({test::vm_without_devices()});
  std::string out;
  encoder.encode(cycle, out);
  cycle.host = "kvm1";
  out.clear();
  encoder.encode(cycle, out);
  EXPECT_NE(line_of(out, "vm_totals,VMID=8,host=kvm1,name=bare"), "none");
}

TEST(LineProtocol, EscapesACommaInATagValue) {
  EXPECT_NE(line_of(encoded(make_cycle({make_vm(make_layout({.name = "a,b=c d"}))})).text,
                    "vm_metrics,VMID=7,name=a\\,b\\=c\\ d,uuid=1"),
            "none");
}

TEST(LineProtocol, LeavesOutAnEmptyName) {
  EXPECT_NE(
      line_of(encoded(make_cycle({make_vm(make_layout({.name = ""}))})).text, "vm_metrics,VMID=7,uuid=1"),
      "none");
}

TEST(LineProtocol, NeverLetsANewlineForgeALine) {
  const Encoded out = encoded(make_cycle(
      {make_vm(make_layout({.name = "a\nvm_totals,VMID=1 state=1i 1\n", .nics = {"v\nx y=1 1"}}))}));
  EXPECT_EQ(out.lines, 4u);
  EXPECT_NE(line_of(out.text,
                    "vm_devices,VMID=7,device=v_x\\ y\\=1\\ 1,devtype=nic,"
                    "name=a_vm_totals\\,VMID\\=1\\ state\\=1i\\ 1_,uuid=1"),
            "none");
}

TEST(LineProtocol, KeepsVmsApartWhoseNamesAreStoredAlike) {
  const std::string text = encoded(make_cycle({make_vm(make_layout({.name = "a\n", .uuid_byte = 1})),
                                               make_vm(make_layout({.name = "a\t", .uuid_byte = 2}))}))
                               .text;
  EXPECT_NE(line_of(text, "vm_metrics,VMID=7,name=a_,uuid=01010101-0101-0101-0101-010101010101 "), "none");
  EXPECT_NE(line_of(text, "vm_metrics,VMID=7,name=a_,uuid=02020202-0202-0202-0202-020202020202 "), "none");
}

// ---- Absent values ----

VmSample vm_with_nothing_read() {
  VmSample vm;
  vm.layout = make_layout({.nics = {"vnet0"}, .disks = {"vda"}});
  vm.nics.resize(1);
  vm.disks.resize(1);
  complete(vm);
  return vm;
}

TEST(LineProtocol, WritesZeroForWhatWasNotRead) {
  EXPECT_EQ(
      encoded(make_cycle({vm_with_nothing_read()}), MissingPolicy::zero).text,
      "vm_metrics,VMID=7,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
      "state=\"unknown\",cpu_count=0i,memory_max_kb=0i,memory_used_kb=0i,cputime_ns=0i 1700000000000000000\n"
      "vm_devices,VMID=7,device=vnet0,devtype=nic,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
      "rxbytes=0i,rxpackets=0i,rxerrors=0i,rxdrops=0i,txbytes=0i,txpackets=0i,txerrors=0i,txdrops=0i "
      "1700000000000000000\n"
      "vm_devices,VMID=7,device=vda,devtype=disk,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
      "rd_req=0i,rd_bytes=0i,wr_reqs=0i,wr_bytes=0i,errors=0i 1700000000000000000\n"
      "vm_totals,VMID=7,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
      "net_rxbytes=0i,net_rxpackets=0i,net_rxerrors=0i,net_rxdrops=0i,net_txbytes=0i,net_txpackets=0i,"
      "net_txerrors=0i,net_txdrops=0i,disk_rd_req=0i,disk_rd_bytes=0i,disk_wr_reqs=0i,disk_wr_bytes=0i,"
      "disk_errors=0i,memactual=0i,memrss=0i,memavailable=0i,memusable=0i,memdisk_cache=0i,memswap_in=0i,"
      "memswap_out=0i,memmajor_fault=0i,memminor_fault=0i,timeusr=0i,timesys=0i,cpus=0i,cputime=0i,state=0i "
      "1700000000000000000\n" +
          std::string(kCollectorLine));
}

TEST(LineProtocol, OmitsLinesOfWhichNothingWasRead) {
  EXPECT_EQ(encoded(make_cycle({vm_with_nothing_read()}), MissingPolicy::omit).text, kCollectorLine);
}

TEST(LineProtocol, OmitsTheFieldsThatWereNotRead) {
  VmSample vm = vm_with_nothing_read();
  vm.values.set_integer(metric_id("vm_metrics.memory_used_kb"), 5);
  vm.nics[0].set_integer(metric_id("nic.rxpackets"), 6);
  vm.nics[0].set_integer(metric_id("nic.txbytes"), 0);
  complete(vm);
  EXPECT_EQ(
      encoded(make_cycle({vm}), MissingPolicy::omit).text,
      "vm_metrics,VMID=7,name=web-1,uuid=11111111-1111-1111-1111-111111111111 memory_used_kb=5i "
      "1700000000000000000\n"
      "vm_devices,VMID=7,device=vnet0,devtype=nic,name=web-1,uuid=11111111-1111-1111-1111-111111111111 "
      "rxpackets=6i,txbytes=0i 1700000000000000000\n"
      "vm_totals,VMID=7,name=web-1,uuid=11111111-1111-1111-1111-111111111111 net_rxpackets=6i,net_txbytes=0i "
      "1700000000000000000\n" +
          std::string(kCollectorLine));
}

VmSample vm_with_one_nic_unread() {
  VmSample vm = make_vm(make_layout({.nics = {"vnet0", "vnet1"}}));
  vm.nics[1].set_absent(metric_id("nic.rxbytes"), Absence::call_failed);
  complete(vm);
  return vm;
}

TEST(LineProtocol, WritesOfAPartialSumWhatItsLinesAddUpTo) {
  const std::string text = encoded(make_cycle({vm_with_one_nic_unread()}), MissingPolicy::zero).text;
  EXPECT_NE(text.find(" rxbytes=2000i,"), std::string::npos);
  EXPECT_NE(text.find(" rxbytes=0i,"), std::string::npos);
  EXPECT_NE(text.find(" net_rxbytes=2000i,net_rxpackets=5002i,"), std::string::npos);
}

TEST(LineProtocol, OmitsAPartialSum) {
  const std::string text = encoded(make_cycle({vm_with_one_nic_unread()}), MissingPolicy::omit).text;
  EXPECT_EQ(text.find("net_rxbytes="), std::string::npos);
  EXPECT_NE(text.find(" net_rxpackets=5002i,"), std::string::npos);
}

TEST(LineProtocol, NeverFillsATrendWithZero) {
  VmSample vm = test::vm_without_devices();
  vm.values.set_real(metric_id("vm_features.net_txbytes_rate"), 0.0);
  for (const MissingPolicy missing : {MissingPolicy::zero, MissingPolicy::omit}) {
    EXPECT_EQ(line_of(encoded(make_cycle({vm}), missing).text, "vm_features"),
              "vm_features,VMID=8,name=bare,uuid=22222222-2222-2222-2222-222222222222 net_txbytes_rate=0 "
              "1700000000000000000");
  }
}

TEST(LineProtocol, LeavesOutNumbersThatAreNotFinite) {
  VmSample vm = test::vm_without_devices();
  vm.values.set_real(metric_id("vm_features.net_rxbytes_rate"), std::numeric_limits<double>::quiet_NaN());
  vm.values.set_real(metric_id("vm_features.net_txbytes_rate"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(line_of(encoded(make_cycle({vm})).text, "vm_features"), "none");
}

TEST(LineProtocol, WritesEveryStateByItsName) {
  const auto check = [](std::int64_t code, std::string_view want) {
    VmSample vm = test::vm_without_devices();
    vm.values.set_integer(metric_id("vm_totals.state"), code);
    const std::string text = encoded(make_cycle({vm})).text;
    EXPECT_NE(text.find(" state=\"" + std::string(want) + "\",cpu_count="), std::string::npos) << code;
    EXPECT_NE(text.find(",state=" + std::to_string(code) + "i "), std::string::npos) << code;
  };
  check(0, "no state");
  check(1, "running");
  check(3, "paused");
  check(7, "suspended");
  check(8, "unknown");
}

TEST(LineProtocol, WritesTheLongestValuesWithinItsBuffer) {
  VmSample vm = test::vm_with_devices();
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) {
    if (metric(id).type == Type::integer) vm.values.set_integer(id, INT64_MIN);
    if (metric(id).type == Type::real) vm.values.set_real(id, -2.2250738585072014e-308);
  }
  for (MetricId id = DiskValues::kRows.first; id < DiskValues::kRows.end; ++id)
    vm.disks[2].set_integer(id, INT64_MIN);
  Cycle cycle = make_cycle({vm});
  cycle.time.unix_ns = INT64_MIN;
  const std::string text = encoded(cycle).text;
  EXPECT_NE(text.find("disk_wr_bytes_angle_deg=-2.2250738585072014e-308 -9223372036854775808\n"),
            std::string::npos);
  EXPECT_NE(text.find("errors=-9223372036854775808i -9223372036854775808\n"), std::string::npos);
}

// ---- The health of a VM ----

TEST(LineProtocol, TellsOfAVmThatIsNotWellUnderBothPolicies) {
  for (const MissingPolicy missing : {MissingPolicy::zero, MissingPolicy::omit}) {
    VmSample vm = test::vm_without_devices();
    test::make_hung(vm);
    std::string text;
    LineProtocolEncoder encoder({missing});
    EXPECT_EQ(encoder.encode(make_cycle({vm}), text), 4u);
    EXPECT_EQ(
        line_of(text, "vm_health"),
        "vm_health,VMID=8,name=bare,uuid=22222222-2222-2222-2222-222222222222 health=\"hung\",health_code=3i,"
        "reason=\"no_answer\",reason_code=1i,hung_ms=12500i,cpu_age_ms=0i,memory_age_ms=12400i "
        "1700000000000000000");
  }
}

// What is not read is never a 0 of age, and a VM that is well has no line.
TEST(LineProtocol, WritesNoHealthOfAVmThatIsWell) {
  EXPECT_EQ(encoded(make_cycle({test::vm_with_devices()})).text.find("vm_health"), std::string::npos);
}

TEST(LineProtocol, PutsTheHealthBehindTheTotalsAndLeavesTheOtherLinesAsTheyAre) {
  const std::string well = encoded(make_cycle({test::vm_with_devices()})).text;
  VmSample vm = test::vm_with_devices();
  test::make_hung(vm);
  const std::string ill = encoded(make_cycle({vm})).text;
  const std::size_t at = ill.find("vm_health,");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(ill.substr(0, at) + ill.substr(ill.find("collector_latency")), well);
}

// ---- The cache of tags ----

TEST(LineProtocol, WritesTheSameBytesFromItsCache) {
  LineProtocolEncoder encoder({});
  const Cycle cycle = make_cycle({test::vm_with_devices(), test::vm_without_devices()});
  std::string first;
  std::string second;
  EXPECT_EQ(encoder.encode(cycle, first), encoder.encode(cycle, second));
  EXPECT_EQ(first, second);
  EXPECT_EQ(encoder.cached_vms(), 2u);
}

TEST(LineProtocol, FollowsALayoutThatIsReplaced) {
  LineProtocolEncoder encoder({});
  std::string out;
  encoder.encode(make_cycle({make_vm(make_layout({.name = "old", .disks = {"vda"}}))}), out);
  out.clear();
  encoder.encode(make_cycle({make_vm(make_layout({.name = "new", .disks = {"vda", "vdb"}}))}), out);
  EXPECT_EQ(out.find("name=old"), std::string::npos);
  EXPECT_NE(line_of(out, "vm_devices,VMID=7,device=vdb,devtype=disk,name=new"), "none");
}

// A freed layout's address is used again at once by most allocators: tags of the old one would be lies.
TEST(LineProtocol, IsNotFooledByALayoutAtTheAddressOfAnother) {
  LineProtocolEncoder encoder({});
  for (int i = 0; i < 100; ++i) {
    const std::string name = "vm-" + std::to_string(i);
    std::string out;
    encoder.encode(make_cycle({make_vm(make_layout({.name = name}))}), out);
    ASSERT_NE(line_of(out, "vm_metrics,VMID=7,name=" + name + ",uuid"), "none");
  }
}

TEST(LineProtocol, ForgetsAVmThatVanished) {
  LineProtocolEncoder encoder({});
  const VmSample stays = test::vm_with_devices();
  std::weak_ptr<const VmLayout> vanished;
  std::string out;
  {
    const VmSample goes = test::vm_without_devices();
    vanished = goes.layout;
    encoder.encode(make_cycle({stays, goes}), out);
  }
  EXPECT_FALSE(vanished.expired());
  encoder.encode(make_cycle({stays}), out);
  EXPECT_TRUE(vanished.expired());
  EXPECT_EQ(encoder.cached_vms(), 1u);
  EXPECT_GT(encoder.cached_bytes(), 0u);
}

TEST(LineProtocol, KeepsTheTagsOfVmsThatMove) {
  LineProtocolEncoder encoder({});
  const VmSample first = test::vm_with_devices();
  const VmSample second = test::vm_without_devices();
  for (const auto& vms : {std::vector{first, second}, {second, first}, {second}, {first, second}}) {
    std::string out;
    encoder.encode(make_cycle(vms), out);
    EXPECT_EQ(out, encoded(make_cycle(vms)).text);
    EXPECT_EQ(encoder.cached_vms(), vms.size());
  }
}

TEST(LineProtocol, GivesTheSameLinesInPieces) {
  VmSample vm = test::vm_with_devices();
  test::add_trends(vm);
  const Cycle cycle = make_cycle(std::vector(300, vm));
  std::string whole = "# begun\n";
  const std::size_t lines = LineProtocolEncoder({}).encode(cycle, whole);

  std::string joined;
  std::string piece = "# begun\n";
  std::size_t pieces = 0;
  std::size_t piece_lines = 0;
  LineProtocolEncoder encoder({});
  const std::size_t written =
      encoder.encode_pieces(cycle, piece, [&](std::string_view text, std::size_t count) {
        EXPECT_EQ(text.back(), '\n');
        joined += text;
        ++pieces;
        piece_lines += count;
      });
  EXPECT_EQ(joined, whole);
  EXPECT_EQ(pieces, whole.size() / LineProtocolEncoder::kPieceBytes + 1);
  EXPECT_EQ(piece_lines, lines);
  EXPECT_EQ(written, lines);
}

TEST(LineProtocolDeathTest, RefusesASampleThatDoesNotFitItsLayout) {
  VmSample vm = test::vm_with_devices();
  vm.nics.pop_back();
  EXPECT_DEATH(encoded(make_cycle({vm})), "vm.nics.size\\(\\)");
}

}  // namespace
}  // namespace virtmeter
