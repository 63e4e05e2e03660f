#include "cli/spool_report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace virtmeter {
namespace {

// In the order in which a reader of it looks for them.
using json = nlohmann::ordered_json;

// "2026-11-24T12:00:00Z".
std::string time_text(const std::optional<WallTime>& time) {
  if (!time) return "-";
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(static_cast<std::time_t>(time->unix_ns / 1'000'000'000)));
}

json time_json(const std::optional<WallTime>& time) { return time ? json(time_text(time)) : json(nullptr); }

// Three digits and a unit are enough to see whether a disk fills up.
std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 4> kUnits = {"B", "KiB", "MiB", "GiB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, kUnits[unit]);
}

json dropped_json(const DroppedByReason& dropped) {
  json out = json::object();
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    out[std::string(name_of(static_cast<DropReason>(i)))] = dropped.lines[i];
  }
  return out;
}

json reader_json(const CursorReport& cursor) {
  const ReaderCounts& counts = cursor.counts;
  return {{"name", printable(cursor.reader)},
          {"file", printable(cursor.file)},
          {"valid", cursor.valid},
          {"collected", counts.collected},
          {"delivered", counts.delivered},
          {"waiting", counts.waiting},
          {"in_flight", counts.in_flight},
          {"dropped", counts.dropped.total()},
          {"dropped_by_reason", dropped_json(counts.dropped)},
          {"resent", counts.resent},
          {"pending_ranges", cursor.pending_ranges},
          {"end_line", cursor.end_line}};
}

json segment_json(const SegmentReport& segment) {
  return {{"file", printable(segment.file)},
          {"bytes", segment.bytes},
          {"first_line", segment.first_line},
          {"end_line", segment.end_line},
          {"lines", segment.lines},
          {"records", segment.records},
          {"raw_bytes", segment.raw_bytes},
          {"time_min", time_json(segment.time_min)},
          {"time_max", time_json(segment.time_max)},
          {"sealed", segment.sealed},
          {"torn_bytes", segment.torn_bytes}};
}

std::string dropped_text(const DroppedByReason& dropped) {
  std::string reasons;
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    if (dropped.lines[i] == 0) continue;
    reasons += fmt::format("{}{} {}", reasons.empty() ? " (" : ", ", name_of(static_cast<DropReason>(i)),
                           dropped.lines[i]);
  }
  return fmt::format("{}{}", dropped.total(), reasons.empty() ? "" : reasons + ")");
}

std::uint64_t torn_bytes(const SpoolReport& report) {
  std::uint64_t bytes = 0;
  for (const SegmentReport& segment : report.segments) bytes += segment.torn_bytes;
  return bytes;
}

}  // namespace

std::string spool_status_table(const SpoolReport& report) {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  for (const SegmentReport& segment : report.segments) {
    bytes += segment.bytes;
    lines += segment.lines;
  }
  std::string out = fmt::format("spool      {}\nsegments   {}, {}, {} lines", printable(report.folder),
                                report.segments.size(), size_text(bytes), lines);
  if (!report.segments.empty()) {
    out += fmt::format(", from {} to {}", time_text(report.segments.front().time_min),
                       time_text(report.segments.back().time_max));
  }
  out += '\n';
  for (const CursorReport& cursor : report.cursors) {
    const ReaderCounts& counts = cursor.counts;
    out += fmt::format("reader     {}{}\n", printable(cursor.reader),
                       cursor.valid ? "" : ": its cursor is damaged");
    if (!cursor.valid) continue;
    out +=
        fmt::format("  collected  {}\n  delivered  {}\n  waiting    {}\n  dropped    {}\n", counts.collected,
                    counts.delivered, counts.waiting + counts.in_flight, dropped_text(counts.dropped));
    if (counts.resent > 0) out += fmt::format("  resent     {}\n", counts.resent);
  }
  if (is_damaged(report)) {
    out += fmt::format("damage     {} places; virtmeter spool verify names them\n", report.damage_count);
  }
  if (report.quarantined_files > 0)
    out += fmt::format("set aside  {} files in quarantine\n", report.quarantined_files);
  return out;
}

std::string spool_report_json(const SpoolReport& report) {
  json out = {{"folder", printable(report.folder, 4096)},
              {"segments", json::array()},
              {"readers", json::array()},
              {"damage", json::array()},
              {"damage_count", report.damage_count},
              {"torn_bytes", torn_bytes(report)},
              {"foreign_files", json::array()},
              {"quarantined_files", report.quarantined_files}};
  for (const SegmentReport& segment : report.segments) out["segments"].push_back(segment_json(segment));
  for (const CursorReport& cursor : report.cursors) out["readers"].push_back(reader_json(cursor));
  for (const SpoolDamage& damage : report.damage) {
    out["damage"].push_back({{"file", printable(damage.file)},
                             {"offset", damage.offset},
                             {"bytes", damage.bytes},
                             {"what", printable(damage.what)}});
  }
  for (const std::string& file : report.foreign_files) out["foreign_files"].push_back(printable(file));
  return out.dump(2) + "\n";
}

std::string spool_verify_text(const SpoolReport& report) {
  std::string out;
  for (const SegmentReport& segment : report.segments) {
    out += fmt::format(
        "{}  lines {} to {}, {} records, {}{}\n", printable(segment.file), segment.first_line,
        segment.end_line, segment.records, size_text(segment.bytes),
        segment.torn_bytes == 0 ? "" : fmt::format(", {} bytes torn at its end", segment.torn_bytes));
  }
  for (const SpoolDamage& damage : report.damage) {
    out += fmt::format("DAMAGE {}:{}: {} ({} bytes)\n", printable(damage.file), damage.offset,
                       printable(damage.what), damage.bytes);
  }
  for (const std::string& file : report.foreign_files) {
    out += fmt::format("foreign  {}: not a file of the spool; left alone\n", printable(file));
  }
  if (!is_damaged(report)) return out + "ok: every record is whole\n";
  return out +
         fmt::format("damaged: {} places; virtmeter reads around them and counts the lines as corrupt\n",
                     report.damage_count);
}

bool is_damaged(const SpoolReport& report) { return report.damage_count > 0 || torn_bytes(report) > 0; }

}  // namespace virtmeter
