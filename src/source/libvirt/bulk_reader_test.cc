// VMs that hang, on libvirt's test driver behind a FaultyConnector that plays the QEMUs which do not answer,
// and on a clock that moves by what the calls would have waited.
#include "source/libvirt/bulk_reader.h"

#include <gtest/gtest.h>

#include "source/libvirt/test_node.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr MetricId kReads = metric_id("disk.rd_req");
constexpr MetricId kRss = metric_id("vm_totals.memrss");
constexpr MetricId kCpuTime = metric_id("vm_metrics.cputime_ns");
constexpr MetricId kCode = metric_id("vm_health.health_code");
constexpr nanoseconds kBeat = seconds(5);

class BulkReaderTest : public test::NodeTest {
 protected:
  void open_node(int count, std::size_t chunk = 32) {
    open(node_uri(count), chunk);
    for (int i = 0; i < count; ++i) connector_->cost["vm" + std::to_string(i)] = milliseconds(10);
    read();
  }
  // One beat later.
  std::vector<VmSample> cycle() {
    next_beat_ += kBeat;
    if (BootTime{next_beat_} > clock_.boot_now()) clock_.advance(BootTime{next_beat_} - clock_.boot_now());
    const BootTime started = clock_.boot_now();
    auto vms = read();
    took_ = clock_.boot_now() - started;
    return vms;
  }
  void hang(int first, int end) {
    for (int i = first; i < end; ++i) connector_->hung.insert("vm" + std::to_string(i));
  }
  static std::size_t count(const std::vector<VmSample>& vms, Health health) {
    return static_cast<std::size_t>(std::count_if(vms.begin(), vms.end(), [&](const VmSample& vm) {
      return vm.health.integer(kCode) == static_cast<std::int64_t>(health);
    }));
  }
  static std::size_t whole(const std::vector<VmSample>& vms) {
    return static_cast<std::size_t>(std::count_if(vms.begin(), vms.end(), [](const VmSample& vm) {
      return vm.values.has(kRss) && vm.disks[2].has(kReads);
    }));
  }
  int entered_most() const {
    int most = 0;
    for (const auto& [vm, times] : connector_->entered) most = std::max(most, times);
    return most;
  }

  nanoseconds next_beat_ = std::chrono::hours(1);
  nanoseconds took_{0};
};

TEST_F(BulkReaderTest, CancelsNothingWhileAllIsWell) {
  open_node(40);
  for (int i = 0; i < 10; ++i) {
    const auto vms = cycle();
    EXPECT_EQ(whole(vms), 40u);
    EXPECT_FALSE(vms[0].health.has(kCode));
  }
  EXPECT_EQ(source_->status().cancelled_calls, 0u);
  EXPECT_EQ(source_->status().bulk_calls, 22u);
}

TEST_F(BulkReaderTest, ReadsAllOthersInTheCycleInWhichOneHangs) {
  open_node(12);
  hang(5, 6);
  const auto vms = cycle();
  ASSERT_EQ(vms.size(), 12u);
  EXPECT_EQ(whole(vms), 11u);
  EXPECT_LT(took_, kBeat / 2);
  const VmSample& stuck = vms[5];
  EXPECT_EQ(stuck.layout->name, "vm5");
  EXPECT_EQ(stuck.health.integer(kCode), static_cast<std::int64_t>(Health::hung));
  EXPECT_EQ(stuck.health.integer(metric_id("vm_health.hung_ms")),
            (took_ - milliseconds(50)) / milliseconds(1));
  EXPECT_EQ(stuck.values.absence(kRss), Absence::hung);
  EXPECT_EQ(stuck.disks[0].absence(kReads), Absence::hung);
  EXPECT_TRUE(stuck.values.has(kCpuTime)) << "libvirt knows that by itself";
  EXPECT_EQ(stuck.values.integer(metric_id("vm_totals.state")), 1);
}

TEST_F(BulkReaderTest, LeavesAHungVmAloneFromThenOn) {
  open_node(12);
  hang(5, 6);
  cycle();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(whole(cycle()), 11u);
    EXPECT_LT(took_, seconds(1)) << "no waiting for it any more";
  }
  EXPECT_EQ(connector_->entered["vm5"], 1) << "one call is outstanding, ever";
  EXPECT_EQ(source_->status().hung_vms, 1u);
  ASSERT_EQ(source_->status().hung.size(), 1u);
  EXPECT_EQ(source_->status().hung[0].name, "vm5");
  EXPECT_EQ(source_->status().cancelled_calls, 1u);
}

TEST_F(BulkReaderTest, ReadsAVmThatAnswersAgainInTheNextCycle) {
  open_node(12);
  hang(5, 6);
  cycle();
  cycle();
  connector_->hung.clear();
  auto vms = cycle();
  EXPECT_EQ(whole(vms), 12u);
  EXPECT_EQ(vms[5].health.integer(kCode), 0) << "told once";
  vms = cycle();
  EXPECT_EQ(whole(vms), 12u);
  EXPECT_FALSE(vms[5].health.has(kCode));
  EXPECT_EQ(source_->status().hung_vms, 0u);
}

TEST_F(BulkReaderTest, SaysOnceThatAVmHangsAndOnceThatItAnswers) {
  open_node(2);
  testing::internal::CaptureStderr();
  hang(1, 2);
  cycle();
  cycle();
  connector_->hung.clear();
  cycle();
  cycle();
  const std::string log = testing::internal::GetCapturedStderr();
  const auto lines_with = [&](std::string_view words) {
    std::size_t lines = 0;
    for (std::size_t at = log.find(words); at != std::string::npos; at = log.find(words, at + 1)) ++lines;
    return lines;
  };
  EXPECT_EQ(lines_with("warning vm vm1: its QEMU has not answered for 1.0 s"), 1u) << log;
  EXPECT_EQ(lines_with("info vm vm1: its QEMU answers again, after "), 1u) << log;
  EXPECT_EQ(lines_with("vm1"), 2u) << log;
}

TEST_F(BulkReaderTest, FindsTenHungVmsWithinOneCycle) {
  for (const std::size_t chunk : {32u, 4u}) {
    open_node(12, chunk);
    hang(1, 11);
    const auto vms = cycle();
    EXPECT_EQ(count(vms, Health::hung), 10u);
    EXPECT_EQ(whole(vms), 2u);
    EXPECT_LT(took_, kBeat);
    EXPECT_EQ(entered_most(), 1);
    connector_->hung.clear();
    EXPECT_EQ(whole(cycle()), 12u);
    connector_->entered.clear();
  }
}

TEST_F(BulkReaderTest, KeepsTheBeatOfManyVmsWhenTenHang) {
  open_node(100);
  for (int i = 0; i < 100; i += 10) connector_->hung.insert("vm" + std::to_string(i));
  for (int i = 0; i < 4; ++i) {
    const auto vms = cycle();
    EXPECT_EQ(vms.size(), 100u);
    EXPECT_LT(took_, kBeat);
  }
  const auto vms = cycle();
  EXPECT_EQ(whole(vms), 90u);
  EXPECT_EQ(count(vms, Health::hung), 10u);
  EXPECT_EQ(entered_most(), 1);
}

// libvirtd has 20 threads for all its clients.
TEST_F(BulkReaderTest, LeavesLibvirtdSomeThreadsWhenAllHang) {
  open_node(30);
  hang(0, 30);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(cycle().size(), 30u);
    EXPECT_LT(took_, kBeat);
  }
  EXPECT_EQ(connector_->entered.size(), BulkReader::kWaitingCallsMax);
  EXPECT_EQ(entered_most(), 1);
  const auto vms = cycle();
  EXPECT_EQ(count(vms, Health::hung), BulkReader::kWaitingCallsMax);
  EXPECT_EQ(count(vms, Health::stale), 30 - BulkReader::kWaitingCallsMax);
  for (const VmSample& vm : vms) EXPECT_TRUE(vm.values.has(kCpuTime));
  connector_->hung.clear();
  cycle();
  EXPECT_EQ(whole(cycle()), 30u);
}

TEST_F(BulkReaderTest, TakesASlowHostForSlowAndNotForHung) {
  open_node(10);
  for (auto& [vm, cost] : connector_->cost) cost = milliseconds(150);
  const auto vms = cycle();
  EXPECT_EQ(whole(vms), 10u);
  EXPECT_EQ(source_->status().hung_vms, 0u);
  EXPECT_EQ(source_->status().cancelled_calls, 1u) << "and then it was given more time";
}

TEST_F(BulkReaderTest, DoublesTheWaitForAVmThatFailsItsTrials) {
  open_node(2);
  hang(1, 2);
  // libvirt says that it is free, as after a restart of libvirtd, and yet it does not answer.
  cycle();
  connector_->control = [](const std::string&) { return ControlState{}; };
  std::vector<int> tried_in;
  int entered = connector_->entered["vm1"];
  for (int i = 1; i <= 40; ++i) {
    EXPECT_EQ(whole(cycle()), 1u);
    if (std::exchange(entered, connector_->entered["vm1"]) != connector_->entered["vm1"])
      tried_in.push_back(i);
  }
  EXPECT_EQ(tried_in, (std::vector<int>{1, 2, 4, 8, 16, 32}));
}

// A restart is a new life: no memory of the old one's hang.
TEST_F(BulkReaderTest, StartsCleanWithANewLife) {
  open("test:///default");
  connector_->cost["test"] = milliseconds(10);
  read();
  connector_->hung = {"test"};
  EXPECT_EQ(count(cycle(), Health::hung), 1u);
  connector_->hung.clear();
  const ConnectHandle other(virConnectOpen("test:///default"));
  const DomainHandle domain(virDomainLookupByName(other.get(), "test"));
  ASSERT_EQ(virDomainDestroy(domain.get()), 0);
  ASSERT_EQ(virDomainCreate(domain.get()), 0);
  const auto vms = cycle();
  ASSERT_EQ(vms.size(), 1u);
  EXPECT_TRUE(vms[0].values.has(kRss));
  EXPECT_FALSE(vms[0].health.has(kCode));
  EXPECT_EQ(source_->status().hung_vms, 0u);
}

TEST_F(BulkReaderTest, CostsOneVmWhenItsSingleCallHangs) {
  open_node(4);
  connector_->fault = [](auto operation, auto, auto) -> std::optional<Error> {
    if (operation == "get_bulk_stats") return Error{Errc::invalid, "not supported by this driver", ""};
    return std::nullopt;
  };
  hang(2, 3);
  const auto vms = cycle();
  ASSERT_EQ(vms.size(), 4u);
  EXPECT_EQ(whole(vms), 3u);
  EXPECT_EQ(count(vms, Health::hung), 1u);
  EXPECT_EQ(vms[2].disks[0].absence(kReads), Absence::hung);
  EXPECT_EQ(connector_->entered["vm2"], 1);
}

TEST_F(BulkReaderTest, GivesUpACycleInWhichLibvirtdItselfHangs) {
  open_node(4);
  connector_->fault = [this](auto operation, auto, auto) -> std::optional<Error> {
    if (operation == "get_bulk_stats") connector_->daemon_hung = true;
    return std::nullopt;
  };
  hang(0, 1);
  EXPECT_TRUE(cycle().empty()) << "nothing read, nothing invented";
  EXPECT_EQ(source_->status().vms_unread, 4u);
  EXPECT_FALSE(source_->status().connected);
  EXPECT_EQ(source_->status().hung_vms, 0u);
  EXPECT_TRUE(cycle().empty());
  EXPECT_FALSE(status_);
  connector_->daemon_hung = false;
  connector_->fault = nullptr;
  connector_->hung.clear();
  for (int i = 0; i < 8 && whole(cycle()) == 0; ++i) continue;
  EXPECT_EQ(whole(cycle()), 4u);
  EXPECT_TRUE(source_->status().connected);
}

TEST_F(BulkReaderTest, ReturnsAnErrorWhenTheListGetsNoAnswer) {
  open_node(2);
  connector_->daemon_hung = true;
  EXPECT_TRUE(cycle().empty());
  ASSERT_FALSE(status_);
  EXPECT_EQ(status_.error().code, Errc::timeout);
}

// Each operation once, then for ever: whatever times out, every VM that is not hung is whole again
// afterwards.
TEST_F(BulkReaderTest, RecoversFromATimeoutOfAnyCall) {
  for (const std::string failing :
       {"connect", "version", "get_live_vms", "get_bulk_stats", "get_control_state", "renew", "get_info",
        "get_memory_stats", "get_cpu_stats", "get_interface_stats", "get_block_stats",
        "get_devices_for_vm"}) {
    for (const int times : {1, 1000000}) {
      open_node(3);
      int left = times;
      connector_->fault = [&](auto operation, auto vm, auto) -> std::optional<Error> {
        if (operation != failing || (!vm.empty() && vm != "vm1") || left == 0) return std::nullopt;
        --left;
        return connector_->time_out(milliseconds(300));
      };
      if (failing == "get_control_state" || failing == "renew") hang(1, 2);
      if (failing == "connect" || failing == "version") connector_->cut = true;
      for (int i = 0; i < 3; ++i) cycle();
      connector_->fault = nullptr;
      connector_->hung.clear();
      clock_.advance(minutes(10));
      next_beat_ = clock_.boot_now().since_boot;
      for (int i = 0; i < 2; ++i) cycle();
      EXPECT_EQ(whole(cycle()), 3u) << failing << " " << times;
      EXPECT_EQ(source_->status().hung_vms, 0u) << failing << " " << times;
    }
  }
}

}  // namespace
}  // namespace virtmeter
