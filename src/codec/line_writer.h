// append_line(): any point as one line of line protocol, in the spelling that every server reads alike
// (line_escape.h). For lines whose shape is not in the catalog; LineProtocolEncoder is the fast way for those
// that are. Pure function. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"

namespace virtmeter {

using FieldValueView = std::variant<std::int64_t, double, bool, std::string_view>;

struct TagView {
  std::string_view key;
  std::string_view value;
};

struct FieldView {
  std::string_view key;
  FieldValueView value;
};

struct PointView {
  std::string_view measurement;
  std::span<const TagView> tags;  // In any order.
  std::span<const FieldView> fields;
  WallTime time;
};

// Appends the line with its LF; false: there was nothing to write, and nothing is. Tags are sorted by key,
// bytewise. Left out are tags with an empty key or value, fields with an empty key, numbers that are not
// finite, and of two keys that are stored alike the second. No measurement or no field left: no line. No
// field may be named like a tag of its line, for InfluxDB 3 has one column for both.
bool append_line(std::string& out, const PointView& point);

}  // namespace virtmeter
