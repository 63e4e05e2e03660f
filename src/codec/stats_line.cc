#include "codec/stats_line.h"

#include <algorithm>
#include <array>

#include "codec/decimal.h"
#include "codec/line_escape.h"
#include "codec/tags.h"

namespace virtmeter {
namespace {

constexpr RowRange kRows = line_rows(Line::collector_stats);

// InfluxDB 1.x keeps the outermost values of an int64 for itself.
constexpr std::int64_t kTimeMax = INT64_MAX - 1;

void append_number(std::string& out, std::int64_t value) {
  std::array<char, kDecimalBytesMax> text{};
  const char* const end = put_decimal(text.data(), value);
  out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

void append_tags(std::string& out, const StatsLine& line) {
  for (const Tag& tag : kTags) {
    if (!has_tag(Line::collector_stats, tag.source)) continue;
    const std::string_view value = tag.source == TagSource::sink ? line.sink : line.host;
    if (value.empty()) continue;
    out.append(",").append(tag.key).append("=");
    append_tag_value(out, value);
  }
}

}  // namespace

std::size_t encode_stats_line(const SinkValues& values, const StatsLine& line, std::string& out) {
  const std::size_t start = out.size();
  out += info(Line::collector_stats).measurement;
  append_tags(out, line);
  char before = ' ';
  for (MetricId id = kRows.first; id < kRows.end; ++id) {
    const auto value = values.integer(id);
    if (!value) continue;
    out.append(1, before).append(metric(id).name).append("=");
    append_number(out, *value);
    out += 'i';
    before = ',';
  }
  if (before == ' ') {
    out.resize(start);
    return 0;
  }
  out += ' ';
  append_number(out, std::clamp(line.time.unix_ns, -kTimeMax, kTimeMax));
  out += '\n';
  return 1;
}

}  // namespace virtmeter
