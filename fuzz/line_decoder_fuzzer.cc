// Any bytes as line protocol: reading them ends. A point that is read can be written, and what was written is
// read and written again as it is.
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/line_protocol_decoder.h"
#include "codec/line_writer.h"
#include "input.h"

namespace virtmeter {
namespace {

struct ViewOf {
  FieldValueView operator()(const std::string& text) const { return std::string_view(text); }
  // The writer has no unsigned numbers.
  FieldValueView operator()(std::uint64_t number) const { return static_cast<std::int64_t>(number >> 1); }
  template <typename Value>
  FieldValueView operator()(Value value) const {
    return value;
  }
};

std::string written(const Point& point) {
  std::vector<TagView> tags;
  for (const auto& [key, value] : point.tags) tags.push_back({key, value});
  std::vector<FieldView> fields;
  for (const auto& [key, value] : point.fields) fields.push_back({key, std::visit(ViewOf{}, value)});
  std::string line;
  append_line(line, {point.measurement, tags, fields, WallTime{point.time.value_or(0)}});
  return line;
}

void check_line(const Point& point) {
  const std::string line = written(point);
  if (line.empty()) return;
  const Result<Point> again = decode_line(line);
  CHECK(again.has_value());
  CHECK(written(again.value()) == line);
}

}  // namespace
}  // namespace virtmeter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  virtmeter::LineDecoder decoder(virtmeter::fuzz::text_of(data, size));
  while (const auto point = decoder.next()) {
    if (*point) virtmeter::check_line(point->value());
  }
  return 0;
}
