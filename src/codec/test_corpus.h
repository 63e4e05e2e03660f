// Reads ../shared/corpora/line_protocol.json: what other projects' tests expect of line protocol, and what
// real servers did with it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/line_protocol_decoder.h"

namespace virtmeter::test {

using Json = nlohmann::json;

inline constexpr const char* kCorpusPath = VIRTMETER_SHARED_DIR "/corpora/line_protocol.json";

// Nothing: the folder "shared" is not there.
inline const std::optional<Json>& corpus() {
  static const std::optional<Json> loaded = []() -> std::optional<Json> {
    std::ifstream file(kCorpusPath);
    if (!file) return std::nullopt;
    return Json::parse(file);
  }();
  return loaded;
}

inline std::string base64_decoded(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = ((bits << 6) | static_cast<std::uint32_t>(kDigits.find(c))) & 0xFFFFFF;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    out += static_cast<char>((bits >> bit_count) & 0xFF);
  }
  return out;
}

inline FieldValue corpus_value(const Json& value) {
  const std::string kind = value.begin().key();
  const Json& of = value.begin().value();
  if (kind == "int") return static_cast<std::int64_t>(std::stoll(of.get<std::string>()));
  if (kind == "uint") return static_cast<std::uint64_t>(std::stoull(of.get<std::string>()));
  if (kind == "float")
    return of.is_string() ? std::strtod(of.get<std::string>().c_str(), nullptr) : of.get<double>();
  if (kind == "bool") return of.get<bool>();
  return of.get<std::string>();
}

inline Point corpus_point(const Json& json) {
  Point point;
  point.measurement = json["measurement"].get<std::string>();
  for (const Json& tag : json["tags"]) point.tags.emplace_back(tag[0], tag[1]);
  std::sort(point.tags.begin(), point.tags.end());
  for (const Json& field : json["fields"]) point.fields.emplace_back(field[0], corpus_value(field[1]));
  // VictoriaMetrics's own tests write 0 where there is no timestamp.
  const std::string time = json.value("time_ns", json.value("timestamp_raw", "0"));
  if (json.contains("time_ns") || time != "0") point.time = std::stoll(time);
  return point;
}

struct Decoded {
  std::vector<Point> points;
  std::string first_error;  // Empty: none.
  std::size_t error_count = 0;
};

inline std::int64_t nanoseconds_of(const std::string& precision) {
  static const std::map<std::string, std::int64_t> kUnits = {{"u", 1'000},          {"us", 1'000},
                                                             {"ms", 1'000'000},     {"s", 1'000'000'000},
                                                             {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};
  const auto unit = kUnits.find(precision);
  return unit == kUnits.end() ? 1 : unit->second;
}

// The time in nanoseconds, as a server stores it: the vector's default, in its precision, where the line has
// none.
inline std::optional<std::int64_t> stored_time(const Point& point, const Json& vector) {
  const std::int64_t unit_ns = nanoseconds_of(vector.value("precision", "ns"));
  if (point.time) return *point.time * unit_ns;
  if (!vector.contains("default_time_ns") || vector["default_time_ns"].is_null()) return std::nullopt;
  return std::stoll(vector["default_time_ns"].get<std::string>()) / unit_ns * unit_ns;
}

inline Decoded decoded(const Json& vector) {
  const std::string text = vector.contains("input")
                               ? vector["input"].get<std::string>()
                               : base64_decoded(vector["input_base64"].get<std::string>());
  Decoded out;
  LineDecoder decoder(text);
  while (std::optional<Result<Point>> point = decoder.next()) {
    if (*point) {
      (*point)->time = stored_time(**point, vector);
      out.points.push_back(std::move(**point));
    } else if (++out.error_count == 1) {
      out.first_error = point->error().message;
    }
  }
  return out;
}

}  // namespace virtmeter::test

// The only skip: the vectors are not part of this repository.
#define REQUIRE_CORPUS()                                                               \
  if (!test::corpus()) {                                                               \
    std::cerr << "\n*** NOT TESTED: no corpus at " << test::kCorpusPath << " ***\n\n"; \
    GTEST_SKIP() << "no corpus at " << test::kCorpusPath;                              \
  }
