#include "codec/line_escape.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace virtmeter {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD.

struct Place {
  char backslash;            // What a backslash becomes.
  char quote;                // What a double quote becomes.
  std::string_view escaped;  // The characters that get a backslash in front.
  std::size_t bytes_max;
};

constexpr Place kMeasurement{'/', '_', ", ", kNameBytesMax};
constexpr Place kTagKey{'/', '"', ",= ", kNameBytesMax};
constexpr Place kTagValue{'/', '"', ",= ", kNameBytesMax};
constexpr Place kFieldKey{'/', '_', ",= ", kNameBytesMax};
constexpr Place kStringValue{'\\', '"', "\"\\", kStringValueBytesMax};

char replaced(char c, const Place& place) {
  if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return '_';
  if (c == '\\') return place.backslash;
  if (c == '"') return place.quote;
  return c;
}

// The first character of `text` as it will be stored; `length` is what it takes from `text`, at least 1.
std::string_view stored(std::string_view text, const Place& place, std::size_t& length, char& buffer) {
  length = utf8_sequence_length(text);
  if (length > 1) return text.substr(0, length);
  if (length == 0) {
    length = 1;
    return kReplacement;
  }
  buffer = replaced(text.front(), place);
  return {&buffer, 1};
}

void append(std::string& out, std::string_view text, const Place& place) {
  std::size_t bytes = 0;
  while (!text.empty()) {
    std::size_t length = 0;
    char buffer = 0;
    const std::string_view character = stored(text, place, length, buffer);
    bytes += character.size();
    if (bytes > place.bytes_max) return;
    if (place.escaped.find(character.front()) != std::string_view::npos) out += '\\';
    out += character;
    text.remove_prefix(length);
  }
}

}  // namespace

void append_measurement(std::string& out, std::string_view text) {
  const std::size_t start = out.size();
  append(out, text, kMeasurement);
  if (out.size() > start && out[start] == '#') out[start] = '_';
}

std::string stored_tag_key(std::string_view text) {
  constexpr std::array<std::string_view, 3> kReserved = {"time", "db", "__name__"};
  constexpr Place kUnescaped{kTagKey.backslash, kTagKey.quote, "", kTagKey.bytes_max};
  std::string key;
  append(key, text, kUnescaped);
  // Looked up after the replacements, for these can make a reserved key: "\n_name__" is stored as "__name__".
  if (std::find(kReserved.begin(), kReserved.end(), key) != kReserved.end()) key += '_';
  return key;
}

void append_tag_key(std::string& out, std::string_view text) { append(out, stored_tag_key(text), kTagKey); }

void append_tag_value(std::string& out, std::string_view text) { append(out, text, kTagValue); }

void append_field_key(std::string& out, std::string_view text) {
  const std::size_t start = out.size();
  append(out, text, kFieldKey);
  if (text == "time") out += '_';
  for (std::size_t i = start + 1; i < out.size(); ++i) {
    if (out[i - 1] == ':' && out[i] == ':') out[i] = '_';
  }
}

void append_string_value(std::string& out, std::string_view text) {
  out += '"';
  append(out, text, kStringValue);
  out += '"';
}

}  // namespace virtmeter
