// What the portable spelling makes of a text, written down a second time and plainly, for the tests to
// compare with.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "codec/line_escape.h"
#include "codec/line_protocol_decoder.h"

namespace virtmeter::test {

inline std::string cut(const std::vector<std::string>& characters, std::size_t bytes_max) {
  std::string out;
  for (const std::string& character : characters) {
    if (out.size() + character.size() > bytes_max) break;
    out += character;
  }
  return out;
}

// The text's characters, controls and invalid bytes replaced.
inline std::vector<std::string> clean_characters(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    std::string character = length == 0 ? "\xEF\xBF\xBD" : std::string(text.substr(0, length));
    if (character.size() == 1 && (static_cast<unsigned char>(character[0]) < 0x20 || character[0] == 0x7f)) {
      character = "_";
    }
    out.push_back(character);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

inline std::string replaced(std::string_view text,
                            const std::vector<std::array<std::string, 2>>& replacements) {
  std::vector<std::string> characters = clean_characters(text);
  for (std::string& character : characters) {
    for (const auto& [from, to] : replacements) {
      if (character == from) character = to;
    }
  }
  return cut(characters, kNameBytesMax);
}

inline std::string policy_measurement(std::string_view text) {
  std::string out = replaced(text, {{"\\", "/"}, {"\"", "_"}});
  if (out.starts_with('#')) out[0] = '_';
  return out;
}

inline std::string policy_tag_key(std::string_view text) {
  std::string out = replaced(text, {{"\\", "/"}});
  if (out == "time" || out == "db" || out == "__name__") out += '_';
  return out;
}

inline std::string policy_tag_value(std::string_view text) { return replaced(text, {{"\\", "/"}}); }

inline std::string policy_field_key(std::string_view text) {
  std::string out = replaced(text, {{"\\", "/"}, {"\"", "_"}});
  for (std::size_t at = out.find("::"); at != std::string::npos; at = out.find("::")) out[at + 1] = '_';
  if (out == "time") out += '_';
  return out;
}

inline std::string policy_string(std::string_view text) {
  return cut(clean_characters(text), kStringValueBytesMax);
}

}  // namespace virtmeter::test
