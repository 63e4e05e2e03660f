#include "web/status_json.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "codec/rfc3339.h"
#include "web/readiness.h"

namespace virtmeter {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

double in_seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(std::chrono::round<std::chrono::milliseconds>(duration)).count();
}

template <typename Convert, typename Value>
Json or_null(const std::optional<Value>& value, Convert convert) {
  return value ? Json(convert(*value)) : Json(nullptr);
}

Json json_of(const std::vector<NamedCount>& counts) {
  Json json = Json::object();
  for (const NamedCount& entry : counts) json[std::string(entry.name)] = entry.count;
  return json;
}

Json json_of(const Error& error) { return Json{{"what", error.message}, {"fix", error.fix}}; }

Json json_of(const std::vector<Reason>& reasons) {
  Json json = Json::array();
  for (const Reason& reason : reasons) json.push_back(Json{{"what", reason.what}, {"fix", reason.fix}});
  return json;
}

Json json_of(const CollectorReport& collector) {
  Json json;
  json["running"] = collector.running;
  json["interval_seconds"] = in_seconds(collector.interval);
  json["cycles"] = collector.cycles;
  json["failed_cycles"] = collector.failed_cycles;
  json["missed_beats"] = collector.missed_beats;
  json["last_cycle_age_seconds"] = or_null(collector.last_cycle_age, in_seconds);
  json["loop_latency_ms"] = collector.loop_latency_ms;
  json["vms"] = collector.vms;
  json["unknown_states"] = collector.unknown_states;
  json["absent_values"] = json_of(collector.absent_values);
  return json;
}

Json json_of(const SourceReport& source) {
  Json json;
  json["target"] = source.target;
  json["connected"] = source.connected;
  json["version"] = source.version.empty() ? Json(nullptr) : Json(source.version);
  json["last_error"] = source.last_error.empty() ? Json(nullptr) : Json(source.last_error);
  for (const NamedCount& entry : source.counts) json[std::string(entry.name)] = entry.count;
  json["hung"] = Json::array();
  for (const HungVmReport& vm : source.hung) {
    json["hung"].push_back(
        Json{{"name", printable(vm.name)}, {"uuid", vm.uuid}, {"hung_seconds", in_seconds(vm.hung_for)}});
  }
  return json;
}

Json json_of(const SinkReport& sink) {
  Json json;
  json["name"] = sink.name;
  json["target"] = sink.target;
  json["collected"] = sink.collected;
  json["delivered"] = sink.delivered;
  json["waiting"] = sink.waiting;
  json["in_flight"] = sink.in_flight;
  json["dropped"] = sink.dropped_total();
  json["dropped_by_reason"] = json_of(sink.dropped);
  json["waiting_bytes"] = sink.waiting_bytes;
  json["oldest_waiting"] = or_null(sink.oldest_waiting, rfc3339);
  for (const NamedCount& entry : sink.counts) json[std::string(entry.name)] = entry.count;
  json["retries"] = sink.retries;
  json["requests"] = sink.requests;
  json["raw_bytes"] = sink.raw_bytes;
  json["wire_bytes"] = sink.wire_bytes;
  json["failing_since"] = or_null(sink.failing_since, rfc3339);
  json["last_success"] = or_null(sink.last_success, rfc3339);
  json["next_try"] = or_null(sink.next_try, rfc3339);
  json["last_error"] = or_null(sink.last_error, [](const Error& error) { return json_of(error); });
  return json;
}

Json json_of(const SpoolState& spool) {
  Json json;
  json["folder"] = spool.folder;
  json["failing_since"] = or_null(spool.failing_since, rfc3339);
  json["last_error"] = or_null(spool.last_error, [](const Error& error) { return json_of(error); });
  for (const NamedCount& entry : spool.counts) json[std::string(entry.name)] = entry.count;
  return json;
}

}  // namespace

std::string status_json(const Report& report) {
  const std::vector<Reason> reasons = reasons_not_ready(report);
  Json json;
  json["version"] = report.version;
  json["pid"] = report.pid;
  json["started"] = rfc3339(report.started);
  json["uptime_seconds"] = in_seconds(report.uptime);
  json["ready"] = reasons.empty();
  json["reasons"] = json_of(reasons);
  json["collector"] = json_of(report.collector);
  json["sources"] = Json::array();
  for (const SourceReport& source : report.sources) json["sources"].push_back(json_of(source));
  json["sinks"] = Json::array();
  for (const SinkReport& sink : report.sinks) json["sinks"].push_back(json_of(sink));
  json["spool"] = or_null(report.spool, [](const SpoolState& spool) { return json_of(spool); });
  return text_of(json);
}

std::string ready_json(const std::vector<Reason>& reasons) {
  Json json;
  json["ready"] = reasons.empty();
  json["reasons"] = json_of(reasons);
  return text_of(json);
}

std::string health_json(const Report& report) {
  Json json;
  json["alive"] = true;
  json["version"] = report.version;
  json["pid"] = report.pid;
  json["uptime_seconds"] = in_seconds(report.uptime);
  return text_of(json);
}

}  // namespace virtmeter
