#include "config/toml_reader.h"

// The parser is compiled in here, not taken from Debian's shared library, to report by return value and with
// its assertions off in every build: 3.3.0 asserts (or, with NDEBUG, assumes) that a table header begins with
// a key, so that "[=]" would end the process instead of reaching the error that stands a few lines below.
#undef NDEBUG
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "config/toml_guard.h"

namespace virtmeter {
namespace {

using Kind = SettingValue::Kind;

// Far beyond any settings file, and little enough that each may be compared with every known key.
constexpr std::size_t kEntriesMax = 10'000;
constexpr std::size_t kTableNameBytesMax = 256;

constexpr std::size_t kMessageBytesMax = 160;

std::uint32_t characters(std::string_view text) {
  return static_cast<std::uint32_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// The columns of the key a line begins with.
void point_at_key(std::string_view text, TomlSyntaxError& error) {
  for (std::uint32_t number = 1; number < error.line; ++number) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::size_t start = std::min(line.find_first_not_of(" \t"), line.size());
  const std::string_view key = trimmed(line.substr(start, line.find('=') - start));
  error.column = characters(line.substr(0, start)) + 1;
  error.width = characters(key);
}

TomlSyntaxError translated(const toml::parse_error& error, std::string_view text) {
  constexpr std::string_view kPrefix = "Error while parsing ";
  std::string_view what = error.description();
  if (what.starts_with(kPrefix)) what.remove_prefix(kPrefix.size());
  TomlSyntaxError out{.what = "not valid TOML: " + printable(what, kMessageBytesMax),
                      .fix = "a setting is written  key = value  on one line, texts and durations in quotes",
                      .line = error.source().begin.line,
                      .column = error.source().begin.column,
                      .quotes_the_text = true};
  const std::size_t twice = what.find("cannot redefine existing ");
  if (twice == std::string_view::npos) return out;
  std::string_view name = what.substr(std::min(what.find('\''), what.size()));
  name = name.substr(0, name.find('\'', 1) + 1);
  out.what = "defined twice: " + printable(name, kMessageBytesMax);
  out.fix = "keep one of the two";
  point_at_key(text, out);
  return out;
}

bool is_bare(std::string_view part) {
  constexpr std::string_view kBare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !part.empty() && part.find_first_not_of(kBare) == std::string_view::npos;
}

SettingValue value_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return {.kind = Kind::string, .text = text->get()};
  if (const auto* integer = node.as_integer()) return {.kind = Kind::integer, .integer = integer->get()};
  if (const auto* number = node.as_floating_point()) return {.kind = Kind::number, .number = number->get()};
  if (const auto* truth = node.as_boolean()) return {.kind = Kind::boolean, .integer = truth->get() ? 1 : 0};
  if (node.is_array()) return {.kind = Kind::array};
  if (node.is_table()) return {.kind = Kind::table};
  return {.kind = Kind::date};
}

// Stops one behind kEntriesMax. Recursion ends: check_toml_is_safe() bounds the depth. A
// table with a name this long is none of ours, whatever it holds.
void flatten(const toml::table& table, const std::string& prefix, std::vector<TomlEntry>& out) {
  for (const auto& [key, node] : table) {
    if (out.size() > kEntriesMax) return;
    std::string name = prefix.empty() ? "" : prefix + ".";
    name.append(is_bare(key.str()) ? "" : "\"").append(key.str()).append(is_bare(key.str()) ? "" : "\"");
    const auto& region = key.source();
    const bool one_line = region.end.line == region.begin.line && region.end.column > region.begin.column;
    out.push_back({.key = std::move(name),
                   .value = value_of(node),
                   .line = region.begin.line,
                   .column = region.begin.column,
                   .width = one_line ? region.end.column - region.begin.column : 1});
    const toml::table* inner = node.as_table();
    if (inner != nullptr && out.back().key.size() <= kTableNameBytesMax) {
      flatten(*inner, std::string(out.back().key), out);
    }
  }
}

}  // namespace

std::variant<std::vector<TomlEntry>, TomlSyntaxError> read_toml(std::string_view text) {
  if (auto error = check_toml_is_safe(text)) return *error;
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) return translated(parsed.error(), text);
  std::vector<TomlEntry> entries;
  flatten(parsed.table(), "", entries);
  if (entries.size() > kEntriesMax) {
    return TomlSyntaxError{.what = "more than " + std::to_string(kEntriesMax) + " keys",
                           .fix = "virtmeter config example lists every key",
                           .line = 1,
                           .column = 1};
  }
  std::stable_sort(entries.begin(), entries.end(), [](const TomlEntry& a, const TomlEntry& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return entries;
}

}  // namespace virtmeter
