#include "config/file_layer.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/text.h"
#include "config/toml_reader.h"

namespace virtmeter {
namespace {

struct SourceFile {
  std::string_view text;
  const std::string& path;
  std::size_t index;
};

bool is_table_name(std::string_view key) {
  const std::vector<std::string_view> tables = option_tables();
  return std::find(tables.begin(), tables.end(), key) != tables.end();
}

bool is_inside(std::string_view key, std::string_view table) {
  return key.size() > table.size() && key.starts_with(table) && key[table.size()] == '.';
}

SettingPlace place_in(const SourceFile& file, std::uint32_t line, std::uint32_t column, std::uint32_t width) {
  SettingPlace place{.layer = SettingLayer::file, .name = file.path, .file_index = file.index, .line = line};
  place.column = column;
  place.width = width;
  place.excerpt = excerpt_of(file.text, line);
  return place;
}

SettingPlace place_of(const SourceFile& file, const TomlEntry& entry) {
  return place_in(file, entry.line, entry.column, entry.width);
}

void report_syntax(const SourceFile& file, const TomlSyntaxError& error, SettingsDraft& draft) {
  SettingPlace place = place_in(file, error.line, error.column, error.width);
  const bool hide = error.quotes_the_text && hides_a_secret(place.excerpt);
  draft.report(std::move(place), hide ? "not valid TOML" : error.what, error.fix);
}

void report_unknown_key(const SourceFile& file, const TomlEntry& entry, SettingsDraft& draft) {
  const std::string_view table = table_of(entry.key);
  const std::string where = table.empty() ? "" : " in [" + printable(table, 80) + "]";
  draft.report(place_of(file, entry), "unknown key " + shown_in_quotes(leaf_of(entry.key)) + where,
               key_suggestion(entry.key, KeySyntax::file));
}

void apply_value(const SourceFile& file, const TomlEntry& entry, SettingsDraft& draft) {
  if (const Option* option = find_option(entry.key)) {
    draft.set(*option, entry.value, place_of(file, entry));
  } else if (is_table_name(entry.key)) {
    draft.report(place_of(file, entry), shown_in_quotes(entry.key) + " is a table, not a value",
                 "write [" + entry.key + "] and its keys below it");
  } else {
    report_unknown_key(file, entry, draft);
  }
}

// What the walk makes of an entry inside a table that is none of ours.
enum class Inside : std::uint8_t { nothing_to_say, keys_with_a_suggestion };

// Reports the table when it is none of ours, and says what is left to report of its content. A table whose
// name is only misspelled is one problem; of one that does not exist, the keys that exist elsewhere are told
// too.
std::optional<Inside> refuse_table(const SourceFile& file, const TomlEntry& entry, SettingsDraft& draft) {
  if (is_table_name(entry.key)) return std::nullopt;
  if (const Option* option = find_option(entry.key)) {
    draft.set(*option, entry.value, place_of(file, entry));
    return Inside::nothing_to_say;
  }
  const std::string_view meant = suggest_table(entry.key);
  const std::string fix = meant.empty() ? "virtmeter config example lists every table"
                                        : "did you mean [" + std::string(meant) + "]?";
  draft.report(place_of(file, entry), "unknown table " + shown_in_quotes(entry.key), fix);
  return meant.empty() ? Inside::keys_with_a_suggestion : Inside::nothing_to_say;
}

void apply_entries(const SourceFile& file, const std::vector<TomlEntry>& entries, SettingsDraft& draft) {
  std::vector<std::pair<std::string, Inside>> refused;
  for (const TomlEntry& entry : entries) {
    if (draft.is_full()) {
      draft.report({.layer = SettingLayer::file,
                    .name = file.path,
                    .file_index = file.index,
                    .line = entry.line,
                    .column = entry.column},
                   "more problems may follow from here", "mend those above first");
      return;
    }
    const auto outer = std::find_if(refused.begin(), refused.end(),
                                    [&](const auto& table) { return is_inside(entry.key, table.first); });
    const bool is_table = entry.value.kind == SettingValue::Kind::table;
    if (outer != refused.end()) {
      const bool wanted = outer->second == Inside::keys_with_a_suggestion && !is_table;
      if (wanted && !suggest_key(entry.key).empty()) report_unknown_key(file, entry, draft);
    } else if (!is_table) {
      apply_value(file, entry, draft);
    } else if (const auto inside = refuse_table(file, entry, draft)) {
      refused.emplace_back(entry.key, *inside);
    }
  }
}

}  // namespace

void apply_file_text(std::string_view text, const std::string& path, std::size_t file_index,
                     SettingsDraft& draft) {
  const SourceFile file{text, path, file_index};
  const auto read = read_toml(text);
  if (const auto* error = std::get_if<TomlSyntaxError>(&read)) {
    report_syntax(file, *error, draft);
  } else {
    apply_entries(file, std::get<std::vector<TomlEntry>>(read), draft);
  }
}

}  // namespace virtmeter
