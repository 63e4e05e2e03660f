#include "cli/status_table.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace virtmeter {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kTextBytesMax = 1000;
constexpr std::size_t kColumns = 80;
constexpr std::size_t kTopicColumns = 11;

// All the readers below take what is not there, or is of another type, as "-": the answer may come from
// another version.
std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return "-";
  return printable(found->get<std::string>(), kTextBytesMax);
}

std::string number(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return "-";
  return found->is_number_float() ? fmt::format("{:.1f}", found->get<double>())
                                  : std::to_string(found->get<std::uint64_t>());
}

Json part(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? Json() : *found;
}

std::string duration(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return "-";
  const auto total = static_cast<std::uint64_t>(std::max(0.0, found->get<double>()));
  const std::uint64_t days = total / 86'400;
  const std::uint64_t hours = total / 3'600 % 24;
  const std::uint64_t minutes = total / 60 % 60;
  if (days > 0) return fmt::format("{}d {}h", days, hours);
  if (hours > 0) return fmt::format("{}h {}m", hours, minutes);
  return minutes > 0 ? fmt::format("{}m {}s", minutes, total % 60) : fmt::format("{}s", total);
}

void add(std::string& out, std::string_view topic, const std::string& line) {
  out += fmt::format("{:<{}}{}\n", topic, kTopicColumns, line);
}

// "memory 4, rejected 3": the counts that are not 0, in as many lines of 80 columns as they need.
void add_counts(std::string& out, std::string_view label, const Json& counts) {
  std::string line(label);
  bool first = true;
  for (const auto& [name, count] : counts.items()) {
    if (!count.is_number_unsigned() || count.get<std::uint64_t>() == 0) continue;
    const std::string item = fmt::format("{} {}", printable(name, 40), count.get<std::uint64_t>());
    if (!first) line += ",";
    if (line.size() + 1 + item.size() > kColumns - kTopicColumns) {
      add(out, "", line);
      line.clear();
    }
    if (!line.empty()) line += " ";
    line += item;
    first = false;
  }
  if (!first) add(out, "", line);
}

void add_reasons(std::string& out, const Json& reasons) {
  for (const Json& reason : reasons) {
    add(out, "", "- " + text(reason, "what"));
    const std::string fix = text(reason, "fix");
    if (!fix.empty() && fix != "-") add(out, "", "  fix: " + fix);
  }
}

void add_collector(std::string& out, const Json& collector) {
  add(out, "collector",
      fmt::format("{} VMs, last cycle {} ms, {} ago, one every {} s", number(collector, "vms"),
                  number(collector, "loop_latency_ms"), duration(collector, "last_cycle_age_seconds"),
                  number(collector, "interval_seconds")));
  add(out, "",
      fmt::format("{} cycles, {} failed, {} beats missed", number(collector, "cycles"),
                  number(collector, "failed_cycles"), number(collector, "missed_beats")));
  add_counts(out, "absent values:", part(collector, "absent_values"));
}

void add_source(std::string& out, const Json& source) {
  const bool connected = part(source, "connected") == Json(true);
  add(out, "source",
      fmt::format("{}: {}", text(source, "target"), connected ? text(source, "version") : "not connected"));
  if (!connected) add(out, "", text(source, "last_error"));
  add(out, "",
      fmt::format("{} reconnects, {} events, {} calls failed", number(source, "reconnects"),
                  number(source, "events"), number(source, "failed_calls")));
  add(out, "",
      fmt::format("VMs by kernel {}, by kernel in part {}, by libvirt alone {}", number(source, "kernel_vms"),
                  number(source, "mixed_vms"), number(source, "libvirt_vms")));
  add(out, "",
      fmt::format("libvirt asked for the disks of {} VMs, the balloon of {}", number(source, "block_vms"),
                  number(source, "balloon_vms")));
  for (const Json& vm : part(source, "hung")) {
    add(out, "",
        fmt::format("hung: {}, for {}", printable(text(vm, "name"), 40), duration(vm, "hung_seconds")));
  }
  add(out, "",
      fmt::format("device cache: {} entries, {} hits, {} misses, {} bytes", number(source, "cache_entries"),
                  number(source, "cache_hits"), number(source, "cache_misses"),
                  number(source, "cache_bytes")));
}

void add_sink(std::string& out, const Json& sink) {
  add(out, "sink", fmt::format("{}: {}", text(sink, "name"), text(sink, "target")));
  add(out, "", fmt::format("{:>12} lines collected", number(sink, "collected")));
  add(out, "",
      fmt::format("{:>12} delivered, last at {}", number(sink, "delivered"), text(sink, "last_success")));
  add(out, "",
      fmt::format("{:>12} waiting, {} bytes", number(sink, "waiting"), number(sink, "waiting_bytes")));
  add(out, "", fmt::format("{:>12} in flight", number(sink, "in_flight")));
  add(out, "", fmt::format("{:>12} dropped", number(sink, "dropped")));
  add_counts(out, "dropped:", part(sink, "dropped_by_reason"));
  Json more;
  for (const char* key : {"backlog", "resent", "replays", "dead_letters", "dead_letters_unwritten"})
    more[key] = part(sink, key);
  add_counts(out, "also:", more);
  if (part(sink, "failing_since").is_string()) {
    add(out, "",
        "failing since " + text(sink, "failing_since") + ", " + number(sink, "retries") + " retries");
  }
}

void add_spool(std::string& out, const Json& spool) {
  if (!spool.is_object()) return;
  add(out, "spool", text(spool, "folder"));
  add_counts(out, "", spool);
  if (part(spool, "failing_since").is_string())
    add(out, "",
        "failing since " + text(spool, "failing_since") + ": " + text(part(spool, "last_error"), "what"));
}

}  // namespace

std::optional<StatusView> status_view(std::string_view json) {
  const Json status = Json::parse(json, nullptr, false);
  if (!status.is_object() || !part(status, "ready").is_boolean() || !part(status, "collector").is_object() ||
      !part(status, "sinks").is_array()) {
    return std::nullopt;
  }
  StatusView view;
  view.ready = status["ready"].get<bool>();
  add(view.table, "virtmeter",
      fmt::format("{}, process {}, up {}: {}", text(status, "version"), number(status, "pid"),
                  duration(status, "uptime_seconds"), view.ready ? "ready" : "NOT READY"));
  add_reasons(view.table, part(status, "reasons"));
  add_collector(view.table, status["collector"]);
  for (const Json& source : part(status, "sources")) add_source(view.table, source);
  for (const Json& sink : status["sinks"]) add_sink(view.table, sink);
  add_spool(view.table, part(status, "spool"));
  return view;
}

}  // namespace virtmeter
