#include "daemon/delivery_options.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

namespace virtmeter {
namespace {

TEST(DeliveryOptions, CopyEverySettingOfTheSinks) {
  Settings settings;
  settings.influx_url = "http://127.0.0.1:8086";
  settings.influx_db = "vms";
  settings.influx_org = "ops";
  settings.influx_token = Secret("t");
  settings.influx_api = Settings::InfluxApi::v3;
  settings.influx_ca_file = "/ca.pem";
  settings.file_path = "/lines.lp";
  settings.file_max_bytes = 1 << 20;
  const SinkOptions options = sink_options(settings);
  EXPECT_EQ(options.influx_url, "http://127.0.0.1:8086");
  EXPECT_EQ(options.influx_db, "vms");
  EXPECT_EQ(options.influx_org, "ops");
  EXPECT_EQ(options.influx_token, "t");
  EXPECT_EQ(options.influx_api, InfluxApi::v3);
  EXPECT_EQ(options.influx_ca_file, "/ca.pem");
  EXPECT_EQ(options.file_path, "/lines.lp");
  EXPECT_EQ(options.file_max_bytes, 1u << 20);
}

TEST(DeliveryOptions, ReadTheTokenAgainFromItsFile) {
  char path[] = "/tmp/virtmeter-token-XXXXXX";
  close(mkstemp(path));
  Settings settings;
  settings.influx_token_path = path;
  const auto read = sink_options(settings).read_influx_token;
  ASSERT_TRUE(read);
  std::ofstream(path) << " first\n";
  EXPECT_EQ(read().value(), "first");
  std::ofstream(path) << "second";
  EXPECT_EQ(read().value(), "second");
  unlink(path);
  EXPECT_EQ(read().error().code, Errc::not_found);
  settings = {};
  settings.influx_token = Secret("t");
  settings.influx_token_file = path;
  EXPECT_FALSE(sink_options(settings).read_influx_token) << "a file that did not count";
}

TEST(DeliveryOptions, CopyTheSpoolsBounds) {
  Settings settings;
  settings.state_dir = "/state";
  settings.max_queue = 7;
  settings.batch_max_lines = 3;
  settings.batch_max_sec = std::chrono::milliseconds(20);
  settings.spool_max_bytes = 100;
  settings.spool_max_age = std::chrono::hours(1);
  settings.spool_min_free_bytes = 200;
  settings.spool_sync = Settings::SpoolSync::interval;
  settings.spool_drain_lines_per_sec = 300;
  const SpoolOptions options = spool_options(settings);
  EXPECT_EQ(options.folder, "/state/spool");
  EXPECT_EQ(options.memory_lines, 7u);
  EXPECT_EQ(options.batch_lines, 3u);
  EXPECT_EQ(options.batch_wait, std::chrono::milliseconds(20));
  EXPECT_EQ(options.max_bytes, 100u);
  EXPECT_EQ(options.max_age, std::chrono::hours(1));
  EXPECT_EQ(options.min_free_bytes, 200u);
  EXPECT_EQ(options.sync, SpoolSync::interval);
  EXPECT_EQ(options.drain_lines_per_sec, 300u);
  EXPECT_EQ(delivery_options(settings).dead_letter_folder, "/state/deadletter");
}

TEST(DeliveryOptions, HaveTheSpoolsOwnDefaults) {
  const SpoolOptions options = spool_options(Settings{});
  const SpoolOptions defaults;
  EXPECT_EQ(options.max_bytes, defaults.max_bytes);
  EXPECT_EQ(options.max_age, defaults.max_age);
  EXPECT_EQ(options.min_free_bytes, defaults.min_free_bytes);
  EXPECT_EQ(options.sync, defaults.sync);
  EXPECT_EQ(options.memory_lines, defaults.memory_lines);
  EXPECT_EQ(options.batch_lines, defaults.batch_lines);
  EXPECT_EQ(options.batch_wait, defaults.batch_wait);
  EXPECT_EQ(options.drain_lines_per_sec, defaults.drain_lines_per_sec);
}

}  // namespace
}  // namespace virtmeter
