#include "daemon/supervisor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "web/test_report.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class FakeManager final : public ServiceManager {
 public:
  void notify(const std::string& state) override { told.push_back(state); }
  std::optional<std::chrono::nanoseconds> watchdog() const override { return interval; }

  std::vector<std::string> told;
  std::optional<std::chrono::nanoseconds> interval = seconds(60);
};

class FakeDaemon final : public ReportSource {
 public:
  Report report() const override { return state; }
  Report state = healthy_report();
};

class SupervisorTest : public ::testing::Test {
 protected:
  // What one tick told.
  std::string tick(Supervisor& supervisor) {
    manager_.told.clear();
    supervisor.tick();
    std::string all;
    for (const std::string& state : manager_.told) all += state;
    return all;
  }

  FakeDaemon daemon_;
  FakeManager manager_;
};

TEST_F(SupervisorTest, SaysReadyOnceTheFirstCycleWasTried) {
  daemon_.state.collector.last_cycle_age.reset();
  Supervisor supervisor(daemon_, manager_);
  EXPECT_EQ(tick(supervisor), "STATUS=not ready: the first collection cycle has not ended yet\nWATCHDOG=1\n");
  daemon_.state.collector.last_cycle_age = seconds(0);
  daemon_.state.sources[0].connected = false;  // It failed, but it was tried.
  EXPECT_EQ(tick(supervisor),
            "READY=1\nSTATUS=not ready: qemu:///system cannot be read: not connected\nWATCHDOG=1\n");
  EXPECT_EQ(tick(supervisor), "WATCHDOG=1\n");
}

TEST_F(SupervisorTest, FallsSilentWhileAPartStandsStill) {
  Supervisor supervisor(daemon_, manager_);
  tick(supervisor);
  daemon_.state.stalled.push_back({"the collector has not moved for 50s", "look"});
  EXPECT_EQ(tick(supervisor), "STATUS=not ready: the collector has not moved for 50s\n");
  EXPECT_EQ(tick(supervisor), "");
  daemon_.state.stalled.clear();
  EXPECT_EQ(tick(supervisor), "STATUS=3 VMs in 4 ms; influx: 20 lines wait\nWATCHDOG=1\n");
}

TEST_F(SupervisorTest, TellsAStallOnceInTheLog) {
  Supervisor supervisor(daemon_, manager_);
  daemon_.state.stalled.push_back({"the collector has not moved for 50s", "look"});
  testing::internal::CaptureStderr();
  tick(supervisor);
  tick(supervisor);
  daemon_.state.stalled.clear();
  tick(supervisor);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2) << log;
  EXPECT_NE(log.find("the collector has not moved for 50s; without a move the service manager restarts "
                     "virtmeter within 60s; fix: look"),
            std::string::npos)
      << log;
  EXPECT_NE(log.find("every part moves again"), std::string::npos);
}

TEST_F(SupervisorTest, GivesNoSignOfLifeThatNobodyWants) {
  manager_.interval.reset();
  Supervisor supervisor(daemon_, manager_);
  EXPECT_EQ(tick(supervisor), "READY=1\nSTATUS=3 VMs in 4 ms; influx: 20 lines wait\n");
  EXPECT_EQ(tick(supervisor), "");
}

TEST_F(SupervisorTest, TicksSeveralTimesWithinTheWatchdogsInterval) {
  manager_.interval = seconds(8);
  Supervisor supervisor(daemon_, manager_);
  EXPECT_EQ(supervisor.patience(), milliseconds(50));
  tick(supervisor);
  EXPECT_EQ(supervisor.patience(), seconds(2));
  manager_.interval = seconds(600);
  Supervisor calm(daemon_, manager_);
  tick(calm);
  EXPECT_EQ(calm.patience(), seconds(5));
}

TEST_F(SupervisorTest, FramesAReloadAndSaysThatItStops) {
  Supervisor supervisor(daemon_, manager_);
  supervisor.reloading(1234);
  supervisor.reloaded();
  supervisor.stopping();
  EXPECT_EQ(manager_.told, (std::vector<std::string>{"RELOADING=1\nMONOTONIC_USEC=1234\n", "READY=1\n",
                                                     "STOPPING=1\nSTATUS=stopping\n"}));
}

TEST(StatusLine, IsOneLineWhateverAServerSays) {
  Report report = healthy_report();
  make_sink_fail(report);
  report.sinks[0].last_error->message = "bad\nREADY=1\n" + std::string(1000, 'x');
  const std::string line = status_line(report);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_LE(line.size(), 303u);
}

TEST(StatusLine, CountsFurtherReasons) {
  Report report = healthy_report();
  make_sink_fail(report);
  report.stalled.push_back({"x stands", ""});
  EXPECT_EQ(status_line(report), "not ready: x stands (and 1 more)");
}

}  // namespace
}  // namespace virtmeter
