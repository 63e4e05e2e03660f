#include "daemon/delivery_options.h"

#include <functional>

#include "config/token.h"

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

SpoolSync sync_of(Settings::SpoolSync sync) {
  switch (sync) {
    case Settings::SpoolSync::every_cycle:
      return SpoolSync::every_append;
    case Settings::SpoolSync::interval:
      return SpoolSync::interval;
    case Settings::SpoolSync::never:
      return SpoolSync::never;
  }
  return SpoolSync::every_append;
}

// A token that came from no file cannot change while the process lives.
std::function<Result<std::string>()> token_reader(const std::string& path) {
  if (path.empty()) return {};
  return [path]() -> Result<std::string> {
    Result<Secret> token = read_token(path);
    if (!token) return std::move(token).error();
    return token->reveal();
  };
}

}  // namespace

SinkOptions sink_options(const Settings& settings) {
  SinkOptions options;
  options.influx_url = settings.influx_url;
  options.influx_db = settings.influx_db;
  options.influx_org = settings.influx_org;
  options.influx_token = settings.influx_token.reveal();
  options.read_influx_token = token_reader(settings.influx_token_path);
  options.influx_api = api_of(settings.influx_api);
  options.influx_ca_file = settings.influx_ca_file;
  options.file_path = settings.file_path;
  options.file_max_bytes = static_cast<std::uint64_t>(settings.file_max_bytes);
  return options;
}

SpoolOptions spool_options(const Settings& settings) {
  SpoolOptions options;
  options.folder = settings.state_dir + "/spool";
  options.max_bytes = static_cast<std::uint64_t>(settings.spool_max_bytes);
  options.max_age = settings.spool_max_age;
  options.min_free_bytes = static_cast<std::uint64_t>(settings.spool_min_free_bytes);
  options.sync = sync_of(settings.spool_sync);
  options.memory_lines = static_cast<std::uint64_t>(settings.max_queue);
  options.batch_lines = static_cast<std::uint64_t>(settings.batch_max_lines);
  options.batch_wait = settings.batch_max_sec;
  options.drain_lines_per_sec = static_cast<std::uint64_t>(settings.spool_drain_lines_per_sec);
  return options;
}

DeliveryOptions delivery_options(const Settings& settings) {
  DeliveryOptions options;
  options.dead_letter_folder = settings.state_dir + "/deadletter";
  return options;
}

}  // namespace virtmeter
