#include "sink/answer_words.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace virtmeter {
namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// InfluxDB 3: {"error":"...","data":[{"error_message":"...","line_number":2,"original_line":"..."}, ...]}, or
// "data" as one such object.
std::span<const json> line_errors(const json& body) {
  const auto data = body.is_object() ? body.find("data") : body.end();
  if (!body.is_object() || data == body.end()) return {};
  if (data->is_object()) return {&*data, 1};
  if (!data->is_array()) return {};
  return data->get_ref<const json::array_t&>();
}

std::string raw_words(std::string_view body, std::string_view error_header, const json& parsed) {
  if (parsed.is_object()) {
    std::string text = text_of(parsed, "error");
    if (text.empty()) text = text_of(parsed, "message");
    const auto lines = line_errors(parsed);
    if (!lines.empty() && lines[0].is_object()) text += ": " + text_of(lines[0], "error_message");
    if (!text.empty()) return text;
  }
  return std::string(error_header.empty() ? body : error_header);
}

std::uint64_t number_behind(std::string_view text, std::string_view word) {
  std::uint64_t number = 0;
  const std::size_t at = text.rfind(word);
  if (at != std::string_view::npos)
    std::from_chars(text.data() + at + word.size(), text.data() + text.size(), number);
  return number;
}

// InfluxDB 1.x and 2.x: "dropped=3", newer ones also "dropped 3 points outside retention policy". For lines
// that they could not parse they say dropped=0 and list them instead, each "unable to parse '...': ..." on a
// line of its own.
std::uint64_t lost_by_words(std::string_view text) {
  constexpr std::string_view kUnparsed = "unable to parse '";
  constexpr std::string_view kPartial = "partial write: ";
  std::uint64_t unparsed = 0;
  for (std::size_t from = text.find(kUnparsed); from != std::string_view::npos;
       from = text.find(kUnparsed, from + 1)) {
    const std::string_view before = text.substr(0, from);
    if (before.empty() || before.ends_with(kPartial) || before.ends_with('\n')) ++unparsed;
  }
  const std::uint64_t outside = number_behind(text, "partial write: dropped ");
  return std::max({number_behind(text, "dropped="), outside, unparsed});
}

// Index of the line that `error` tells of; line_count when it tells of none that was sent.
std::uint64_t index_of(const json& error, std::uint64_t line_count) {
  if (!error.is_object()) return line_count;
  const auto number = error.find("line_number");
  if (number == error.end() || !number->is_number_unsigned()) return line_count;
  const auto from_one = number->get<std::uint64_t>();
  return from_one >= 1 && from_one <= line_count ? from_one - 1 : line_count;
}

}  // namespace

SaidOfLines read_words(std::string_view body, std::string_view error_header, std::uint64_t line_count) {
  const json parsed = json::parse(body.begin(), body.end(), nullptr, /*allow_exceptions=*/false);
  SaidOfLines said;
  said.words = raw_words(body, error_header, parsed);
  const std::span<const json> errors = line_errors(parsed);
  if (errors.empty()) {
    said.lost_lines = lost_by_words(said.words);
    return said;
  }
  std::map<std::uint64_t, std::string> named;
  said.names_all = true;
  for (const json& error : errors) {
    const std::uint64_t index = index_of(error, line_count);
    if (index < line_count) {
      named.emplace(index, text_of(error, "error_message"));
    } else {
      said.names_all = false;
    }
  }
  said.lost_lines = said.names_all ? named.size() : errors.size();
  for (auto& [index, words] : named) said.named.push_back({index, std::move(words)});
  return said;
}

std::string harmless(std::string text, std::span<const std::string> secrets, std::size_t limit_bytes) {
  for (const std::string& secret : secrets) {
    for (std::size_t at = 0; !secret.empty() && (at = text.find(secret, at)) != std::string::npos; at += 3) {
      text.replace(at, secret.size(), "***");
    }
  }
  return printable(trimmed(text), limit_bytes);
}

}  // namespace virtmeter
