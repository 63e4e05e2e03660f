#include "codec/schema.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "codec/tags.h"

namespace virtmeter {
namespace {

using Json = nlohmann::ordered_json;

// Bulk statistics of libvirt 6.0 are the oldest that virtmeter supports.
constexpr std::string_view kSinceOldest = "6.0";

std::string_view since_of(const Metric& row) {
  if (row.origin.how != How::read) return "-";
  return row.since.empty() ? kSinceOldest : row.since;
}

std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

// The measurements in the order of the lines of a cycle, each once.
std::vector<std::string_view> measurements() {
  std::vector<std::string_view> names;
  for (const Line line : {Line::vm_metrics, Line::vm_features, Line::nic, Line::disk, Line::vm_totals,
                          Line::vm_health, Line::collector_latency, Line::collector_stats}) {
    const std::string_view name = info(line).measurement;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

template <typename Visit>
void for_each_row(std::string_view measurement, Visit visit) {
  for (const Metric& row : kCatalog) {
    if (info(row.line).measurement == measurement) visit(row);
  }
}

std::vector<Tag> tags_of(std::string_view measurement) {
  std::vector<Tag> tags;
  for (const Tag& tag : kTags) {
    const auto has = [&](const Metric& row) {
      return info(row.line).measurement == measurement && has_tag(row.line, tag.source);
    };
    if (std::any_of(kCatalog.begin(), kCatalog.end(), has)) tags.push_back(tag);
  }
  return tags;
}

constexpr std::size_t kColumnCount = 9;
using Row = std::array<std::string, kColumnCount>;

const Row kHeader = {"MEASUREMENT", "DEVTYPE", "FIELD", "TYPE", "UNIT", "KIND", "SOURCE", "SINCE", "HELP"};

Row table_row(const Metric& row) {
  return {std::string(info(row.line).measurement),
          std::string(or_dash(info(row.line).devtype)),
          std::string(row.name),
          std::string(name_of(row.type)),
          std::string(name_of(row.unit)),
          std::string(name_of(row.kind)),
          describe_origin(row),
          std::string(since_of(row)),
          std::string(row.help)};
}

// Two spaces between columns, none behind the last.
void append_aligned(std::string& out, const std::vector<Row>& rows) {
  std::array<std::size_t, kColumnCount> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumnCount; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < kColumnCount; ++i) {
      out.append(row[i]).append(widths[i] + 2 - row[i].size(), ' ');
    }
    out.append(row.back()).append("\n");
  }
}

std::string joined_keys(const std::vector<Tag>& tags, std::string_view quote) {
  std::string out;
  for (const Tag& tag : tags) {
    if (!out.empty()) out += ", ";
    out.append(quote).append(tag.key).append(quote);
  }
  return out.empty() ? "none" : out;
}

Json json_of(const Metric& row) {
  Json field;
  field["field"] = row.name;
  if (!info(row.line).devtype.empty()) field["devtype"] = info(row.line).devtype;
  field["type"] = name_of(row.type);
  field["unit"] = name_of(row.unit);
  field["kind"] = name_of(row.kind);
  field["source"] = describe_origin(row);
  field["since"] = since_of(row);
  field["help"] = row.help;
  return field;
}

// '|' ends a cell and '<' could begin HTML.
std::string markdown_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<') out += '\\';
    out += c;
  }
  return out;
}

void append_markdown_row(std::string& out, const std::vector<std::string>& cells) {
  for (const std::string& cell : cells) out.append("| ").append(cell).append(" ");
  out += "|\n";
}

void append_markdown_fields(std::string& out, std::string_view measurement) {
  const bool devices = measurement == info(Line::nic).measurement;
  std::vector<std::string> header = {"field", "type", "unit", "kind", "source", "since", "help"};
  if (devices) header.insert(header.begin(), "devtype");
  append_markdown_row(out, header);
  append_markdown_row(out, std::vector<std::string>(header.size(), "---"));
  for_each_row(measurement, [&](const Metric& row) {
    std::vector<std::string> cells = {"`" + std::string(row.name) + "`",
                                      std::string(name_of(row.type)),
                                      std::string(name_of(row.unit)),
                                      std::string(name_of(row.kind)),
                                      markdown_cell(describe_origin(row)),
                                      std::string(since_of(row)),
                                      markdown_cell(row.help)};
    if (devices) cells.insert(cells.begin(), "`" + std::string(info(row.line).devtype) + "`");
    append_markdown_row(out, cells);
  });
}

constexpr std::string_view kMarkdownHead = R"(# Metrics

This page is the output of `virtmeter schema -o markdown`. All lines of a cycle carry the cycle's timestamp. A value that could
not be read is absent, never 0: no rate, no stored row, no dashboard point and no Prometheus sample is made from it. In line
protocol the setting `missing` decides. `zero`, the default, writes `0i` for an absent integer of `vm_metrics`, `vm_devices` and
`vm_totals` (for a sum, what the parts that were read add up to) and `"unknown"` for the name of the state; `omit` leaves the
field out, and a line without fields is not written. Fields of `vm_features`, `vm_health`, `collector_latency`
and `collector_stats` are left out under both. *Source* names what the host's kernel
tells where it can be asked (docs/kernel.md; a NIC is a tap there, which receives what its guest sends), the key in libvirt's bulk
statistics, and the call that is asked where bulk does not give the group;
*since* is the first libvirt that reports the value in bulk.
)";

}  // namespace

std::string schema_table() {
  std::vector<Row> rows = {kHeader};
  std::string tags = "\nTAGS\n";
  for (const std::string_view measurement : measurements()) {
    for_each_row(measurement, [&](const Metric& row) { rows.push_back(table_row(row)); });
    tags.append(measurement).append(": ").append(joined_keys(tags_of(measurement), "")).append("\n");
  }
  std::string out;
  append_aligned(out, rows);
  return out + tags;
}

std::string schema_json() {
  Json all = Json::array();
  for (const std::string_view measurement : measurements()) {
    Json entry;
    entry["measurement"] = measurement;
    entry["tags"] = Json::array();
    for (const Tag& tag : tags_of(measurement)) {
      entry["tags"].push_back(Json{{"tag", tag.key}, {"help", tag.help}});
    }
    entry["fields"] = Json::array();
    for_each_row(measurement, [&](const Metric& row) { entry["fields"].push_back(json_of(row)); });
    all.push_back(std::move(entry));
  }
  return Json{{"measurements", std::move(all)}}.dump(2) + "\n";
}

std::string schema_markdown() {
  std::string out(kMarkdownHead);
  for (const std::string_view measurement : measurements()) {
    out.append("\n## ").append(measurement).append("\n\n");
    out.append("Tags: ").append(joined_keys(tags_of(measurement), "`")).append(".\n\n");
    append_markdown_fields(out, measurement);
  }
  out.append("\n## Tags\n\n| tag | help |\n| --- | --- |\n");
  for (const Tag& tag : kTags)
    append_markdown_row(out, {"`" + std::string(tag.key) + "`", markdown_cell(tag.help)});
  return out;
}

}  // namespace virtmeter
