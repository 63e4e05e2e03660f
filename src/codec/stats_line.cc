#include "codec/stats_line.h"

#include <array>

#include "codec/line_writer.h"

namespace virtmeter {
namespace {

constexpr RowRange kRows = line_rows(Line::collector_stats);

}  // namespace

std::size_t encode_stats_line(const SinkValues& values, const StatsLine& line, std::string& out) {
  std::array<FieldView, kRows.size()> fields{};
  std::size_t present = 0;
  for (MetricId id = kRows.first; id < kRows.end; ++id) {
    if (const auto value = values.integer(id)) fields[present++] = {metric(id).name, *value};
  }
  const std::array<TagView, 2> tags{{{"host", line.host}, {"sink", line.sink}}};
  const PointView point{info(Line::collector_stats).measurement, tags, {fields.data(), present}, line.time};
  return append_line(out, point) ? 1 : 0;
}

}  // namespace virtmeter
