// Where a setting comes from and what is wrong with one: place, fact, fix, and for files the line itself.
// Every text here is safe for a terminal and holds no secret. Pure functions. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace virtmeter {

// Lowest precedence first.
enum class SettingLayer : std::uint8_t { built_in, file, environment, command_line };

struct SettingPlace {
  SettingLayer layer = SettingLayer::built_in;
  std::string name{};  // The path, the variable, or the flag as it was typed.
  std::string key{};   // Of --set only: the key as it was typed.
  std::string via{};   // Of a secret read from elsewhere: "file /etc/virtmeter/influx.token".

  // Of files. Lines and columns count from 1, columns in characters; line 0 is the file as a whole.
  std::size_t file_index = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t width = 0;
  std::string excerpt{};
};

struct SettingProblem {
  SettingPlace place;
  std::string what;
  std::string fix;
};

// "/etc/virtmeter/virtmeter.toml:14:3", "environment POLL_INTERVAL", "--set pol_interval".
std::string place_text(const SettingPlace& place);

// "default", "/etc/virtmeter/virtmeter.toml:14", "environment POLL_INTERVAL", "--set".
std::string origin_text(const SettingPlace& place);

// Files in reading order, each by line and column, then the environment, then flags as they were given.
void sort_by_place(std::vector<SettingProblem>& problems);

// Several lines for each problem: place and fact, the line with carets, the fix.
std::string problems_for_terminal(std::span<const SettingProblem> problems);

// One line for each problem.
std::vector<std::string> problems_for_log(std::span<const SettingProblem> problems);

// Line `line` of `text`, fit to be shown: printable, tabs as one space, cut when long, the value of what
// looks like a secret and the password of an address hidden.
std::string excerpt_of(std::string_view text, std::uint32_t line);

// Whether excerpt_of() had something to hide.
bool hides_a_secret(std::string_view excerpt);

// A name or value from outside in double quotes: printable, short, the password of an address hidden.
std::string shown_in_quotes(std::string_view text);

}  // namespace virtmeter
