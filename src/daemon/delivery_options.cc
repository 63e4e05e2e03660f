#include "daemon/delivery_options.h"

namespace virtmeter {
namespace {

InfluxApi api_of(Settings::InfluxApi api) {
  switch (api) {
    case Settings::InfluxApi::automatic:
      return InfluxApi::automatic;
    case Settings::InfluxApi::v1:
      return InfluxApi::v1;
    case Settings::InfluxApi::v2:
      return InfluxApi::v2;
    case Settings::InfluxApi::v3:
      return InfluxApi::v3;
  }
  return InfluxApi::automatic;
}

}  // namespace

SinkOptions sink_options(const Settings& settings) {
  SinkOptions options;
  options.influx_url = settings.influx_url;
  options.influx_db = settings.influx_db;
  options.influx_org = settings.influx_org;
  options.influx_token = settings.influx_token.reveal();
  options.influx_api = api_of(settings.influx_api);
  options.influx_ca_file = settings.influx_ca_file;
  options.file_path = settings.file_path;
  options.file_max_bytes = static_cast<std::uint64_t>(settings.file_max_bytes);
  return options;
}

LineQueueOptions queue_options(const Settings& settings) {
  LineQueueOptions options;
  options.max_queue = static_cast<std::uint64_t>(settings.max_queue);
  options.batch_max_lines = static_cast<std::uint64_t>(settings.batch_max_lines);
  options.batch_max_wait = settings.batch_max_sec;
  return options;
}

}  // namespace virtmeter
