// A TOML text as a flat list of its tables and values, each with its place: the one door to toml++. Hostile
// input costs bounded time and stack. Pure functions. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/value.h"

namespace virtmeter {

struct TomlEntry {
  std::string key;  // Dotted; a part that TOML would quote stays in quotes, so "a.b" is never a.b.
  SettingValue value;
  std::uint32_t line = 0;  // Of the key's last part, from 1.
  std::uint32_t column = 0;
  std::uint32_t width = 0;
};

struct TomlSyntaxError {
  std::string what{};
  std::string fix{};
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t width = 1;
  bool quotes_the_text = false;  // `what` may hold a piece of a value.
};

// The entries in the order of the text, a table before its content; or the first thing that is not TOML (or
// more of it than a settings file can need).
std::variant<std::vector<TomlEntry>, TomlSyntaxError> read_toml(std::string_view text);

}  // namespace virtmeter
