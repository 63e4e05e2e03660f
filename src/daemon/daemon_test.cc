#include "daemon/daemon.h"

#include <gtest/gtest.h>
#include <stdlib.h>

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
    settings_.poll_interval = std::chrono::milliseconds(500);
    settings_.batch_max_sec = std::chrono::milliseconds(1);
    settings_.file_path = folder_ + "/lines.lp";
    settings_.state_dir = folder_;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

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

TEST_F(DaemonTest, RefusesSettingsThatCannotWork) {
  settings_.libvirt_uri = "kvm:///system";
  EXPECT_FALSE(Daemon::open(settings_, clock_));
  settings_.libvirt_uri = "test:///default";
  settings_.influx_url = "not a url";
  EXPECT_FALSE(Daemon::open(settings_, clock_));
}

}  // namespace
}  // namespace virtmeter
