// Against libvirt's test driver; what the calls mean for a whole read is in libvirt_source_test.cc.
#include "source/libvirt/single_calls.h"

#include <gtest/gtest.h>

#include "source/libvirt/event_loop.h"
#include "source/libvirt/faulty_connector.h"
#include "source/libvirt/libvirt_connector.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Way = VmReading::Way;

constexpr MetricId kCpuTime = metric_id("vm_metrics.cputime_ns");
constexpr MetricId kRss = metric_id("vm_totals.memrss");
constexpr MetricId kReads = metric_id("disk.rd_req");
constexpr MetricId kRx = metric_id("nic.rxbytes");

class SingleCallsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(LibvirtEventLoop::prepare());
    ASSERT_TRUE(connector_.connect());
    ASSERT_TRUE(connector_.get_live_vms(live_));
    connector_.clock = &clock_;
    finder_.begin_cycle(live_);
    reading_.live = &live_.front();
    reading_.give_layout(directory_.find(live_.front()));
  }
  // The operation gets no answer, and libvirt says this of the VM then.
  void time_out(std::string_view failing, ControlState state) {
    connector_.control = [state](const std::string&) { return state; };
    connector_.fault = [this, failing](auto operation, auto, auto) -> std::optional<Error> {
      if (operation != failing) return std::nullopt;
      ++asked_;
      return connector_.time_out(seconds(1));
    };
  }

  ManualClock clock_;
  LimitedLog log_{clock_};
  CallWatch watch_{clock_, [](std::uint64_t) {}};
  FaultyConnector connector_{std::make_unique<LibvirtConnector>(
      "test:///default", *parse_libvirt_uri("test:///default"), watch_, CallLimits{})};
  DeviceDirectory directory_{connector_, clock_, log_, seconds(300)};
  SourceStatus counts_;
  ReadTools tools_{connector_, clock_, log_, directory_, counts_};
  HangFinder finder_{tools_, seconds(5)};
  SingleCalls singles_{tools_, finder_};
  std::vector<LiveVm> live_;
  VmReading reading_;
  int asked_ = 0;
};

TEST_F(SingleCallsTest, StandsInForARecordThatIsNotThere) {
  singles_.complete(reading_);
  EXPECT_TRUE(reading_.sample.values.has(kCpuTime) && reading_.sample.values.has(kRss));
  EXPECT_TRUE(reading_.sample.nics[0].has(kRx) && reading_.sample.disks[0].has(kReads));
  EXPECT_EQ(counts_.fallback_calls, 5u);
}

TEST_F(SingleCallsTest, AsksNothingThatTheRecordHas) {
  reading_.has_record = true;
  reading_.groups = {.cpu = true,
                     .user_time = true,
                     .balloon = true,
                     .rss = true,
                     .vcpu = true,
                     .nics = true,
                     .disks = true};
  singles_.complete(reading_);
  EXPECT_EQ(counts_.fallback_calls, 0u);
  EXPECT_EQ(reading_.sample.values.absence(kRss), Absence::not_reported);
}

TEST_F(SingleCallsTest, StopsAtTheCallThatHangs) {
  time_out("get_memory_stats", {ControlState::Kind::occupied, seconds(1)});
  singles_.complete(reading_);
  EXPECT_EQ(reading_.way, Way::hung);
  EXPECT_TRUE(reading_.sample.values.has(kCpuTime)) << "read before";
  EXPECT_EQ(reading_.sample.values.absence(kRss), Absence::hung);
  EXPECT_EQ(reading_.sample.disks[0].absence(kReads), Absence::hung);
  EXPECT_EQ(counts_.fallback_calls, 2u);
}

TEST_F(SingleCallsTest, BlamesTheOneVmThatItAskedWhereLibvirtCannotSay) {
  time_out("get_block_stats", {ControlState::Kind::job, seconds(9)});
  singles_.complete(reading_);
  EXPECT_EQ(reading_.way, Way::hung);
  EXPECT_EQ(clock_.boot_now() - reading_.hung_since, seconds(1));
}

TEST_F(SingleCallsTest, ForgivesASlowAnswer) {
  time_out("get_memory_stats", {});
  singles_.complete(reading_);
  EXPECT_EQ(reading_.way, Way::whole);
  EXPECT_EQ(reading_.sample.values.absence(kRss), Absence::call_failed);
  EXPECT_TRUE(reading_.sample.disks[0].has(kReads)) << "the others go on";
}

TEST_F(SingleCallsTest, AsksAHungVmOnlyWhatLibvirtKnows) {
  finder_.seize(reading_, clock_.boot_now());
  singles_.complete_without_monitor(reading_);
  EXPECT_TRUE(reading_.sample.values.has(kCpuTime));
  EXPECT_EQ(reading_.sample.values.absence(kRss), Absence::hung);
  EXPECT_EQ(reading_.sample.nics[0].absence(kRx), Absence::hung);
  EXPECT_EQ(counts_.fallback_calls, 1u);
}

TEST_F(SingleCallsTest, LeavesAVmAloneOfWhichNotEvenLibvirtCanTell) {
  finder_.seize(reading_, clock_.boot_now());
  time_out("get_info", {});
  for (int i = 0; i < 3; ++i) singles_.complete_without_monitor(reading_);
  EXPECT_EQ(asked_, 1);
  EXPECT_TRUE(connector_.alive());
}

TEST_F(SingleCallsTest, GivesNoReasonForWhatNobodyAsked) {
  reading_.way = Way::out_of_time;
  singles_.complete_without_monitor(reading_);
  EXPECT_TRUE(reading_.sample.values.has(kCpuTime));
  EXPECT_EQ(reading_.sample.values.absence(kRss), Absence::not_read);
}

TEST_F(SingleCallsTest, AsksACallAgainThatANewConnectionMayHave) {
  connector_.fault = [this](auto operation, auto, auto) -> std::optional<Error> {
    if (operation != "get_cpu_stats") return std::nullopt;
    ++asked_;
    return Error{Errc::invalid, "not supported", ""};
  };
  for (int i = 0; i < 2; ++i) singles_.complete(reading_);
  EXPECT_EQ(asked_, 1);
  singles_.reset();
  singles_.complete(reading_);
  EXPECT_EQ(asked_, 2);
}

}  // namespace
}  // namespace virtmeter
