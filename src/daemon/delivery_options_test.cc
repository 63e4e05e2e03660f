#include "daemon/delivery_options.h"

#include <gtest/gtest.h>

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

TEST(DeliveryOptions, CopyTheQueuesBounds) {
  Settings settings;
  settings.max_queue = 7;
  settings.batch_max_lines = 3;
  settings.batch_max_sec = std::chrono::milliseconds(20);
  const LineQueueOptions options = queue_options(settings);
  EXPECT_EQ(options.max_queue, 7u);
  EXPECT_EQ(options.batch_max_lines, 3u);
  EXPECT_EQ(options.batch_max_wait, std::chrono::milliseconds(20));
}

}  // namespace
}  // namespace virtmeter
