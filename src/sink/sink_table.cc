#include "sink/sink_table.h"

#include <array>

#include "sink/file_sink.h"
#include "sink/influx_sink.h"

namespace virtmeter {
namespace {

Result<std::unique_ptr<Sink>> open_influx(const SinkOptions& options, const Clock& clock) {
  InfluxOptions influx;
  influx.url = options.influx_url;
  influx.database = options.influx_db;
  influx.org = options.influx_org;
  influx.token = options.influx_token;
  influx.read_token = options.read_influx_token;
  influx.api = options.influx_api;
  influx.http.ca_file = options.influx_ca_file;
  return InfluxSink::open(std::move(influx), clock);
}

Result<std::unique_ptr<Sink>> open_file(const SinkOptions& options, const Clock&) {
  return FileSink::open({options.file_path, options.file_max_bytes});
}

constexpr auto kRows = std::to_array<SinkRow>({
    {"influx", [](const SinkOptions& options) { return !options.influx_url.empty(); }, open_influx},
    {"file", [](const SinkOptions& options) { return !options.file_path.empty(); }, open_file},
});

}  // namespace

std::span<const SinkRow> sink_table() { return kRows; }

Result<std::unique_ptr<Sink>> open_sink(const SinkOptions& options, const Clock& clock) {
  for (const SinkRow& row : kRows) {
    if (row.wanted(options)) return row.open(options, clock);
  }
  return Error{Errc::invalid, "no sink is configured", "set influx_url, or name a file to write to"};
}

}  // namespace virtmeter
