// Against libvirt's test driver, with control states told in its stead.
#include "source/libvirt/hang_finder.h"

#include <gtest/gtest.h>

#include "source/libvirt/event_loop.h"
#include "source/libvirt/faulty_connector.h"
#include "source/libvirt/libvirt_connector.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = ControlState::Kind;
using Verdict = HangFinder::Verdict;
using Way = VmReading::Way;

class HangFinderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(LibvirtEventLoop::prepare());
    ASSERT_TRUE(connector_.connect());
    ASSERT_TRUE(connector_.get_live_vms(live_));
    connector_.clock = &clock_;
    connector_.control = [this](const std::string&) { return state_; };
    finder_.begin_cycle(live_);
    reading_.live = &live_.front();
  }

  ManualClock clock_;
  LimitedLog log_{clock_};
  CallWatch watch_{clock_, [](std::uint64_t) {}};
  FaultyConnector connector_{std::make_unique<LibvirtConnector>(
      "test:///default", *parse_libvirt_uri("test:///default"), watch_, CallLimits{})};
  DeviceDirectory directory_{connector_, clock_, log_, seconds(300)};
  SourceStatus counts_;
  HangFinder finder_{{connector_, clock_, log_, directory_, counts_}, seconds(5)};
  std::vector<LiveVm> live_;
  VmReading reading_;
  ControlState state_;
};

TEST_F(HangFinderTest, BlamesAVmThatWasHeldForMostOfTheWait) {
  const auto check = [this](ControlState state, Verdict want) {
    state_ = state;
    reading_.way = Way::whole;
    EXPECT_EQ(finder_.judge(reading_, seconds(2)), want);
    EXPECT_EQ(reading_.way == Way::hung, want == Verdict::hung);
    finder_.quarantine().release(live_.front());
  };
  check({Kind::occupied, milliseconds(1000)}, Verdict::hung);
  check({Kind::occupied, milliseconds(1990)}, Verdict::hung);
  check({Kind::occupied, milliseconds(999)}, Verdict::free);
  check({Kind::free, {}}, Verdict::free);
  check({Kind::broken, {}}, Verdict::free);
  check({Kind::job, seconds(100)}, Verdict::unknown);
}

TEST_F(HangFinderTest, KnowsSinceWhenItHangs) {
  state_ = {Kind::occupied, milliseconds(1500)};
  finder_.judge(reading_, seconds(2));
  EXPECT_EQ(clock_.boot_now() - reading_.hung_since, milliseconds(1500));
  ASSERT_NE(finder_.quarantine().find(live_.front()), nullptr);
}

// The daemon's wall clock may have been set: our own waiting is the most that can be true.
TEST_F(HangFinderTest, BelievesNoLongerHoldThanItWaited) {
  state_ = {Kind::occupied, std::chrono::hours(5)};
  finder_.judge(reading_, seconds(2));
  EXPECT_EQ(clock_.boot_now() - reading_.hung_since, seconds(2));
}

TEST_F(HangFinderTest, CannotBlameAVmThatLibvirtSaysNothingOf) {
  connector_.fault = [](auto operation, auto, auto) -> std::optional<Error> {
    if (operation == "get_control_state") return Error{Errc::invalid, "not supported", ""};
    return std::nullopt;
  };
  EXPECT_EQ(finder_.judge(reading_, seconds(2)), Verdict::unknown);
  EXPECT_FALSE(reading_.vanished);
}

TEST_F(HangFinderTest, NoticesThatAVmHasGone) {
  connector_.fault = [](auto operation, auto, auto) -> std::optional<Error> {
    if (operation == "get_control_state") return Error{Errc::not_found, "no such domain", ""};
    return std::nullopt;
  };
  EXPECT_EQ(finder_.judge(reading_, seconds(2)), Verdict::gone);
  EXPECT_TRUE(reading_.vanished);
}

TEST_F(HangFinderTest, SaysOnceThatAVmHangs) {
  testing::internal::CaptureStderr();
  const BootTime since = clock_.boot_now();
  clock_.advance(seconds(3));
  finder_.seize(reading_, since);
  finder_.seize(reading_, since);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find(" warning vm test: its QEMU has not answered for 3.0 s"), std::string::npos) << log;
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
}

TEST_F(HangFinderTest, ReleasesAVmAndSaysHowLongItHung) {
  finder_.seize(reading_, clock_.boot_now());
  clock_.advance(seconds(62));
  testing::internal::CaptureStderr();
  finder_.release(reading_);
  EXPECT_NE(
      testing::internal::GetCapturedStderr().find(" info vm test: its QEMU answers again, after 62.0 s"),
      std::string::npos);
  EXPECT_EQ(reading_.way, Way::whole);
  EXPECT_EQ(finder_.quarantine().size(), 0u);
}

TEST_F(HangFinderTest, RenewsAConnectionThatATimeoutHasBroken) {
  EXPECT_TRUE(finder_.renew()) << "nothing to do";
  static_cast<void>(connector_.time_out(seconds(1)));
  EXPECT_FALSE(connector_.alive());
  EXPECT_TRUE(finder_.renew());
  EXPECT_TRUE(connector_.alive());
  static_cast<void>(connector_.time_out(seconds(1)));
  connector_.daemon_hung = true;
  EXPECT_FALSE(finder_.renew()) << "it is libvirt that hangs";
}

}  // namespace
}  // namespace virtmeter
