#include "codec/line_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "codec/line_escape.h"

namespace virtmeter {
namespace {

// InfluxDB 1.x keeps the outermost values of an int64 for itself.
constexpr std::int64_t kTimeMax = INT64_MAX - 1;

template <typename Number>
void append_number(std::string& out, Number value) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

struct ValueWriter {
  std::string& out;

  void operator()(std::int64_t value) const {
    append_number(out, value);
    out += 'i';
  }
  void operator()(double value) const { append_number(out, value); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::string_view value) const { append_string_value(out, value); }
};

bool is_writable(const FieldValueView& value) {
  const double* const real = std::get_if<double>(&value);
  return real == nullptr || std::isfinite(*real);
}

void append_tags(std::string& out, std::span<const TagView> tags) {
  std::vector<std::pair<std::string, std::string_view>> sorted;
  for (const TagView& tag : tags) {
    if (!tag.key.empty() && !tag.value.empty()) sorted.emplace_back(stored_tag_key(tag.key), tag.value);
  }
  const auto by_key = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::stable_sort(sorted.begin(), sorted.end(), by_key);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0 && sorted[i].first == sorted[i - 1].first) continue;
    out += ',';
    append_tag_key(out, sorted[i].first);
    out += '=';
    append_tag_value(out, sorted[i].second);
  }
}

// Returns how many fields were written.
std::size_t append_fields(std::string& out, std::span<const FieldView> fields) {
  std::vector<std::string> keys;
  for (const FieldView& field : fields) {
    if (field.key.empty() || !is_writable(field.value)) continue;
    std::string key;
    append_field_key(key, field.key);
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    out.append(keys.empty() ? " " : ",").append(key).append("=");
    std::visit(ValueWriter{out}, field.value);
    keys.push_back(std::move(key));
  }
  return keys.size();
}

}  // namespace

bool append_line(std::string& out, const PointView& point) {
  if (point.measurement.empty()) return false;
  const std::size_t start = out.size();
  append_measurement(out, point.measurement);
  append_tags(out, point.tags);
  if (append_fields(out, point.fields) == 0) {
    out.resize(start);
    return false;
  }
  out += ' ';
  append_number(out, std::clamp(point.time.unix_ns, -kTimeMax, kTimeMax));
  out += '\n';
  return true;
}

}  // namespace virtmeter
