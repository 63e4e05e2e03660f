// The writer and the decoder against the vectors of ../shared/corpora/line_protocol.json. Each vector that is
// not met stands below with the reason; one that is met after all must leave the list.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/text.h"
#include "codec/line_protocol_decoder.h"
#include "codec/line_writer.h"
#include "codec/test_corpus.h"
#include "codec/test_policy.h"

namespace virtmeter {
namespace {

using test::Decoded;
using test::decoded;
using test::Json;

// ---- Encode ----

// A vector's point, and what it says should become of it.
struct EncodeVector {
  std::string id;
  Point point;
  std::string line;  // Expected; empty: an error, or any of several.
  bool foreign_type = false;
  bool expects_error = false;
};

Json questdb_value(const Json& column) {
  const std::string type = column["type"];
  if (type == "LONG") return {{"int", std::to_string(column["value"].get<std::int64_t>())}};
  if (type == "DOUBLE") return {{"float", column["value"].get<double>()}};
  return {{type == "BOOLEAN" ? "bool" : "string", column["value"]}};
}

// QuestDB's vectors say table, symbols and columns for measurement, tags and fields, and have no time.
Json questdb_point(const Json& vector) {
  Json point = {
      {"measurement", vector["table"]}, {"tags", Json::array()}, {"fields", Json::array()}, {"time_ns", "0"}};
  for (const Json& symbol : vector["symbols"]) point["tags"].push_back({symbol["name"], symbol["value"]});
  for (const Json& column : vector["columns"])
    point["fields"].push_back({column["name"], questdb_value(column)});
  return point;
}

EncodeVector encode_vector(const Json& json) {
  const bool questdb = json.contains("table");
  EncodeVector vector;
  vector.id = json["id"];
  vector.point = test::corpus_point(questdb ? questdb_point(json) : json["point"]);
  vector.line = json["expect"].value("line", "");
  for (const Json& column : json.value("columns", Json::array())) {
    if (column["type"] == "DECIMAL") vector.foreign_type = true;
  }
  if (questdb && !vector.line.empty()) vector.line += " 0";
  if (vector.line.ends_with('\n')) vector.line.pop_back();
  vector.expects_error = json["expect"].contains("error") || json["expect"].value("status", "") == "ERROR";
  return vector;
}

// The writer takes signed integers: whoever holds a larger one clamps it, as Telegraf does.
FieldValueView view_of(const FieldValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* natural = std::get_if<std::uint64_t>(&value)) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(*natural, INT64_MAX));
  }
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean;
  return std::string_view(std::get<std::string>(value));
}

std::string written(const Point& point) {
  std::vector<TagView> tags;
  for (const auto& [key, value] : point.tags) tags.push_back({key, value});
  std::vector<FieldView> fields;
  for (const auto& [key, value] : point.fields) fields.push_back({key, view_of(value)});
  std::string out;
  append_line(out, {point.measurement, tags, fields, WallTime{point.time.value_or(0)}});
  return out;
}

FieldValue stored(const FieldValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return test::policy_string(*text);
  if (std::holds_alternative<std::uint64_t>(value)) return std::get<std::int64_t>(view_of(value));
  return value;
}

// The point as the portable spelling stores it.
Point stored(const Point& point) {
  Point out{test::policy_measurement(point.measurement), {}, {}, point.time};
  for (const auto& [key, value] : point.tags) {
    if (key.empty() || value.empty()) continue;
    out.tags.emplace_back(test::policy_tag_key(key), test::policy_tag_value(value));
  }
  std::sort(out.tags.begin(), out.tags.end());
  for (const auto& [key, value] : point.fields) {
    const auto* real = std::get_if<double>(&value);
    if (key.empty() || (real != nullptr && !std::isfinite(*real))) continue;
    out.fields.emplace_back(test::policy_field_key(key), stored(value));
  }
  return out;
}

// What the vector's own writer does with a point, in the words of the counts below.
std::string category(const EncodeVector& vector, const std::string& line, const Point& want) {
  if (vector.foreign_type) return "type that the grammar has not";
  if (line.empty()) return vector.expects_error ? "no line, error expected" : "no line, fields are missing";
  if (vector.expects_error) return "repaired, error expected";
  if (line == vector.line + "\n") return "same bytes";
  if (vector.line.empty()) return "any of several lines";
  if (vector.line.find('\n') != std::string::npos && want == vector.point)
    return "one line instead of several";
  return want == vector.point ? "same point, other bytes" : "repaired";
}

TEST(LineProtocolCorpus, EveryEncodeVectorIsReadBackAsThePolicyStoresIt) {
  REQUIRE_CORPUS();
  std::map<std::string, int> counts;
  for (const Json& json : (*test::corpus())["encode"]) {
    const EncodeVector vector = encode_vector(json);
    const Point want = stored(vector.point);
    const std::string line = written(vector.point);
    ++counts[category(vector, line, want)];
    ASSERT_EQ(line.empty(), want.fields.empty() || want.measurement.empty()) << vector.id;
    if (line.empty()) continue;
    const Result<Point> read = decode_line(line);
    ASSERT_TRUE(read) << vector.id << ": " << read.error().message << ": " << printable(line);
    EXPECT_EQ(*read, want) << vector.id << ": " << printable(line);
  }
  const std::map<std::string, int> want_counts = {
      {"same bytes", 119},
      {"same point, other bytes", 4},      // 6632243 for 6.632243e+06, true for t; '=' bare in a measurement.
      {"any of several lines", 1},         // QuestDB takes any spelling of a real.
      {"one line instead of several", 3},  // Telegraf splits a point at a number of bytes, we do not.
      {"repaired", 20},                    // Backslash, control, quote in a name, more than an int64 holds.
      {"repaired, error expected", 65},    // QuestDB refuses such names and InfluxDB an empty tag; we repair.
      {"no line, error expected", 38},     // No field, no finite number, no measurement.
      {"no line, fields are missing", 2},  // QuestDB has lines of tags alone, the grammar has not.
      {"type that the grammar has not", 1},  // QuestDB's decimals.
  };
  EXPECT_EQ(counts, want_counts);
}

// ---- Decode ----

// What other decoders do that the grammar, read strictly, does not; each with all its vectors.
struct Deviation {
  std::string reason;
  std::set<std::string> ids;
};

const std::vector<Deviation>& deviations() {
  static const std::vector<Deviation> kDeviations = {
      {"a string's \\n, \\r and \\t are controls to the v2 codec only; servers keep them as they stand",
       {"lp-corpus/0d72bd69a58fa1a3399cf61fc9fdc67c", "lp-corpus/909116df4d304c2e9ad8a57300bc08d7",
        "lp-corpus/ea7ad6289581283d56af6d43c72c2664"}},
      {"the v2 codec refuses a comment with a control character; a comment is nothing to us",
       {"lp-corpus/dfa6432a639651d02910c4527badb15c"}},
      {"Telegraf's series parser reads lines without fields",
       {"telegraf/influx/minimal", "telegraf/influx/tags", "telegraf/influx_upstream/minimal",
        "telegraf/influx_upstream/tags"}},
      {"the text has errors, which the corpus lost: it lists the points that come with them",
       {"telegraf/influx/multiple line error", "telegraf/influx/handler error",
        "telegraf/influx/multiple errors", "telegraf/influx_upstream/multiple line error",
        "telegraf/influx_upstream/handler error", "telegraf/influx_upstream/multiple errors"}},
      {"the test sets a precision or a clock that the corpus lost",
       {"telegraf/influx/no timestamp", "telegraf/influx/second", "telegraf/influx/millisecond",
        "telegraf/influx/microsecond", "telegraf/influx_upstream/no timestamp",
        "telegraf/influx_upstream/second", "telegraf/influx_upstream/millisecond",
        "telegraf/influx_upstream/microsecond"}},
      {"the corpus lists the fields in another order than the line",
       {"telegraf/influx/procstat", "telegraf/influx_upstream/procstat"}},
      {"VictoriaMetrics needs no measurement", {"victoriametrics/27", "victoriametrics/28"}},
      {"VictoriaMetrics passes over empty tags and bad lines", {"victoriametrics/36", "victoriametrics/42"}},
      {"VictoriaMetrics has no type but float",
       {"victoriametrics/37", "victoriametrics/38", "victoriametrics/41", "victoriametrics/43"}},
      {"VictoriaMetrics unescapes '=' in a measurement, and a doubled backslash", {"victoriametrics/39"}},
      {"InfluxDB 3 reads a doubled backslash in a name as one",
       {"influxdb3/71", "influxdb3/83", "influxdb3/84", "influxdb3/85"}},
      {"InfluxDB 1 and 3 take a line feed in a name behind a backslash",
       {"influxdb3/73", "influxdb3/89", "influxdb3/90", "influxdb3/91", "probe/tag_newline_escaped"}},
      {"InfluxDB 3 bounds names at 64 KiB; the grammar does not", {"influxdb3/50", "influxdb3/51"}},
      {"InfluxDB 1 and 3 take control characters in names; the v2 codec refuses them, and so do we",
       {"influxdb3/25", "influxdb3/26", "influxdb3/27", "influxdb3/28", "probe/tag_cr", "probe/tag_tab",
        "probe/tag_nul", "probe/tag_ctrl",
        "influxdb-1.x/points_test/TestParsePointsWithPrecisionComments/1936"}},
      {"InfluxDB 1 takes invalid UTF-8; the others refuse it, and so do we",
       {"probe/tag_bad_utf8", "probe/str_bad_utf8"}},
      {"InfluxDB 1 has no unsigned integers",
       {"influxdb-1.x/points_test/TestParsePointMaxUint64/736",
        "influxdb-1.x/points_test/TestParsePointMaxUint64/749",
        "influxdb-1.x/points_test/TestParsePointMinUint64/763",
        "influxdb-1.x/points_test/TestParsePointMinUint64/776", "probe/val_uint", "probe/val_uint_max"}},
      {"InfluxDB 1 refuses a carriage return before the line feed", {"probe/crlf"}},
      {"the line is good, and InfluxDB 1 refuses the point: reserved name, conflict of types, outermost time",
       {"probe/tag_named_time", "probe/field_only_time", "probe/field_dup_types", "probe/partial_type",
        "probe/partial_type_multi", "probe/ts_max1", "probe/ts_min1", "probe/ts_min2"}},
  };
  return kDeviations;
}

const Deviation* deviation_of(const std::string& id) {
  for (const Deviation& deviation : deviations()) {
    if (deviation.ids.contains(id)) return &deviation;
  }
  return nullptr;
}

// Empty: as the vector expects. Where nobody has written an expectation, InfluxDB 1.6.7's answer is it.
std::string disagreement(const Json& vector, const Decoded& got) {
  const Json& want = vector["expect"];
  if (want.is_null()) {
    const bool accepts = vector["observed"]["influxd_1.6.7"].value("status", 400) == 204;
    if (accepts == (got.error_count == 0)) return "";
    return accepts ? "influxd accepts it; we: " + got.first_error : "influxd refuses it";
  }
  if (want.contains("error")) return got.error_count > 0 ? "" : "an error is expected";
  if (want.contains("per_line")) {
    const auto errors =
        static_cast<std::size_t>(std::count(want["per_line"].begin(), want["per_line"].end(), "error"));
    return errors == got.error_count ? "" : "other lines are wrong";
  }
  if (got.error_count > 0) return "points are expected; we: " + got.first_error;
  if (want.contains("point_count"))
    return got.points.size() == want["point_count"] ? "" : "other number of points";
  std::vector<Point> points;
  for (const Json& point : want["points"]) points.push_back(test::corpus_point(point));
  return points == got.points ? "" : "other points";
}

TEST(LineProtocolCorpus, EveryDecodeVectorIsReadAsExpectedOrListed) {
  REQUIRE_CORPUS();
  std::set<std::string> deviating;
  int met = 0;
  int without_input = 0;
  for (const Json& vector : (*test::corpus())["decode"]) {
    const std::string id = vector["id"];
    if (!vector.contains("input") && !vector.contains("input_base64")) {
      ++without_input;  // Long lines that the corpus only describes.
      continue;
    }
    const std::string why = disagreement(vector, decoded(vector));
    met += why.empty() ? 1 : 0;
    if (why.empty()) continue;
    deviating.insert(id);
    EXPECT_NE(deviation_of(id), nullptr) << id << ": " << why << ": " << vector.value("input", "(base64)");
  }
  EXPECT_EQ(without_input, 4);
  EXPECT_EQ(met, 7109);
  for (const Deviation& deviation : deviations()) {
    for (const std::string& id : deviation.ids) EXPECT_TRUE(deviating.contains(id)) << id << " is met";
  }
}

}  // namespace
}  // namespace virtmeter
