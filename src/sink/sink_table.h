// The table of sinks: one row each, and the first whose condition holds is opened. A new sink is one class
// and one row; the contract test in sink_table_test.cc then runs it, too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "sink/influx_api.h"
#include "sink/sink.h"

namespace virtmeter {

// The settings of all sinks; the daemon copies them over from its own.
struct SinkOptions {
  std::string influx_url;
  std::string influx_db = "vmstats";
  std::string influx_org;
  std::string influx_token;
  std::function<Result<std::string>()> read_influx_token;  // See InfluxOptions.
  InfluxApi influx_api = InfluxApi::automatic;
  std::string influx_ca_file;
  std::string file_path;
  std::uint64_t file_max_bytes = 256u << 20;
};

struct SinkRow {
  std::string_view name;
  bool (*wanted)(const SinkOptions& options);
  Result<std::unique_ptr<Sink>> (*open)(const SinkOptions& options, const Clock& clock);
};

std::span<const SinkRow> sink_table();

// The first wanted sink of the table; Errc::invalid when the options ask for none, or for an impossible one.
Result<std::unique_ptr<Sink>> open_sink(const SinkOptions& options, const Clock& clock);

}  // namespace virtmeter
