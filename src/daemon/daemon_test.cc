#include "daemon/daemon.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/stop_signals.h"

namespace virtmeter {
namespace {

class DaemonTest : public ::testing::Test {
 protected:
  void SetUp() override {
    block_stop_signals();
    char pattern[] = "/tmp/virtmeter-daemon-XXXXXX";
    folder_ = mkdtemp(pattern);
    settings_.libvirt_uri = "test:///default";
    settings_.http_listen = "";
    settings_.poll_interval = std::chrono::milliseconds(500);
    settings_.batch_max_sec = std::chrono::milliseconds(1);
    settings_.file_path = folder_ + "/lines.lp";
    settings_.state_dir = folder_;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A daemon from start to stop, between which `done` is asked over and over until it says so.
  template <typename Done>
  void run_until(Done done) {
    auto daemon = Daemon::open(settings_, clock_);
    ASSERT_TRUE(daemon) << daemon.error().message;
    ASSERT_TRUE((*daemon)->start());
    const BootTime deadline = clock_.boot_now() + std::chrono::seconds(20);
    while (!done(**daemon)) {
      ASSERT_LT(clock_.boot_now(), deadline);
      wait_for_stop_signal(std::chrono::milliseconds(20));
    }
    ASSERT_TRUE((*daemon)->stop());
    const ReaderCounts lines = (*daemon)->delivery_status().lines;
    EXPECT_TRUE(lines.conserved());
    EXPECT_EQ(lines.in_flight, 0u);
  }

  static std::string lines_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  std::string folder_;
  Settings settings_;
  const SystemClock clock_{};
};

TEST_F(DaemonTest, WritesEveryCollectedLineToTheFileBeforeItEnds) {
  auto daemon = Daemon::open(settings_, clock_);
  ASSERT_TRUE(daemon) << daemon.error().message;
  ASSERT_TRUE((*daemon)->start());
  const BootTime deadline = clock_.boot_now() + std::chrono::seconds(20);
  while ((*daemon)->collector_status().sampler.cycles < 2 && clock_.boot_now() < deadline) {
    wait_for_stop_signal(std::chrono::milliseconds(20));
  }
  ASSERT_TRUE((*daemon)->stop());

  const ReaderCounts counts = (*daemon)->delivery_status().lines;
  EXPECT_EQ(counts.collected, counts.delivered);
  EXPECT_EQ(counts.dropped.total(), 0u);
  std::ostringstream text;
  text << std::ifstream(settings_.file_path).rdbuf();
  const std::string lines = text.str();
  EXPECT_EQ(static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n')), counts.delivered);
  EXPECT_NE(lines.find("vm_metrics,VMID=1,name=test,uuid="), std::string::npos);
  EXPECT_NE(lines.find("vm_features,VMID=1"), std::string::npos);
  EXPECT_NE(lines.find("collector_latency loop_latency_ms="), std::string::npos);
}

TEST_F(DaemonTest, WritesItsOwnStateWithEachCycle) {
  run_until([](const Daemon& daemon) { return daemon.delivery_status().lines.delivered > 7; });
  const std::string lines = lines_of(settings_.file_path);
  EXPECT_TRUE(
      lines.starts_with("collector_stats,sink=file collected=0i,delivered=0i,waiting=0i,in_flight=0i,"
                        "dropped=0i,dropped_evicted=0i,dropped_expired=0i,dropped_disk_space=0i,"
                        "dropped_memory=0i,dropped_corrupt=0i,dropped_missing=0i,dropped_rejected=0i,"
                        "dropped_refused=0i,dropped_oversize=0i,"
                        "dropped_shutdown=0i,retries=0i,cycles=1i,failed_cycles=0i,missed_beats=0i,"
                        "vms=1i,absent_values="))
      << lines;
}

TEST_F(DaemonTest, ReportsWhatItDoes) {
  Report report;
  run_until([&](const Daemon& daemon) {
    report = daemon.report();
    return report.collector.cycles >= 2 && report.sinks[0].delivered > 0;
  });
  EXPECT_EQ(report.pid, getpid());
  EXPECT_TRUE(report.sources[0].connected);
  EXPECT_EQ(report.collector.vms, 1u);
  EXPECT_EQ(report.sinks[0].name, "file");
  EXPECT_TRUE(report.stalled.empty());
}

TEST_F(DaemonTest, EndsAtOnceWhileTheDatabaseIsAwayAndTheLinesAreOnDisk) {
  settings_.influx_url = "http://127.0.0.1:1";  // Nobody listens there.
  BootTime stopping;
  run_until([&](const Daemon& daemon) {
    stopping = clock_.boot_now();
    return daemon.delivery_status().failing_since.has_value();
  });
  EXPECT_LT(clock_.boot_now() - stopping, Delivery::kStopGrace);
}

TEST_F(DaemonTest, SendsWhatWaitsToTheNewSinkAfterAReload) {
  settings_.influx_url = "http://127.0.0.1:1";  // Nobody listens there.
  bool reloaded = false;
  run_until([&](Daemon& daemon) {
    const ReaderCounts lines = daemon.delivery_status().lines;
    if (!reloaded && daemon.delivery_status().retries > 0) {
      Settings wanted = settings_;
      wanted.influx_url = "";
      EXPECT_TRUE(daemon.reload(wanted));
      EXPECT_EQ(daemon.report().sinks[0].name, "file");
      reloaded = true;
    }
    return reloaded && lines.collected == lines.delivered;
  });
  EXPECT_TRUE(lines_of(settings_.file_path).starts_with("collector_stats,sink=influx collected=0i"));
}

TEST_F(DaemonTest, ChangesNothingWhenAReloadCannotWork) {
  run_until([&](Daemon& daemon) {
    Settings wanted = settings_;
    wanted.poll_interval = std::chrono::seconds(9);
    wanted.influx_url = "not a url";
    EXPECT_FALSE(daemon.reload(wanted));
    wanted.influx_url = "";
    wanted.log_file = "/proc/nowhere/log";
    EXPECT_FALSE(daemon.reload(wanted));
    EXPECT_EQ(daemon.collector_status().interval, settings_.poll_interval);
    return true;
  });
}

TEST_F(DaemonTest, TakesANewIntervalAndPolicyWhileItRuns) {
  settings_.poll_interval = std::chrono::hours(1);
  std::uint64_t cycles = 0;
  run_until([&](Daemon& daemon) {
    if (cycles == 0 && daemon.collector_status().sampler.cycles == 1) {
      Settings wanted = settings_;
      wanted.poll_interval = std::chrono::milliseconds(500);
      wanted.host_tag = "hv-3";
      EXPECT_TRUE(daemon.reload(wanted));
    }
    cycles = daemon.collector_status().sampler.cycles;
    return cycles >= 2;
  });
  EXPECT_NE(lines_of(settings_.file_path).find("vm_metrics,VMID=1,host=hv-3,name=test"), std::string::npos);
}

TEST_F(DaemonTest, GoesOnWithoutPagesWhenThePortIsTaken) {
  settings_.http_listen = "127.0.0.1:0";
  auto first = Daemon::open(settings_, clock_);
  ASSERT_TRUE(first);
  settings_.http_listen = (*first)->http_address();
  settings_.state_dir = folder_ + "/second";
  ASSERT_EQ(mkdir(settings_.state_dir.c_str(), 0750), 0);
  testing::internal::CaptureStderr();
  auto second = Daemon::open(settings_, clock_);
  const std::string log = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->http_address(), "");
  EXPECT_NE(log.find("Address already in use; collecting goes on"), std::string::npos) << log;
}

TEST_F(DaemonTest, RefusesToServeStrangers) {
  settings_.http_listen = "0.0.0.0:0";
  const auto daemon = Daemon::open(settings_, clock_);
  ASSERT_FALSE(daemon);
  EXPECT_EQ(daemon.error().code, Errc::invalid);
  EXPECT_TRUE(daemon.error().message.starts_with("http.listen: listen on 0.0.0.0:0: others could reach it"));
}

TEST_F(DaemonTest, RefusesSettingsThatCannotWork) {
  settings_.libvirt_uri = "kvm:///system";
  EXPECT_FALSE(Daemon::open(settings_, clock_));
  settings_.libvirt_uri = "test:///default";
  settings_.influx_url = "not a url";
  EXPECT_FALSE(Daemon::open(settings_, clock_));
}

}  // namespace
}  // namespace virtmeter
