#include "config/draft.h"

#include <utility>

#include "base/check.h"

namespace virtmeter {

void SettingsDraft::set(const Option& option, const SettingValue& value, SettingPlace place) {
  const std::size_t index = option_index(option);
  if (auto complaint = assign(option, value, settings)) {
    refused[index] = true;
    report(std::move(place), std::move(complaint->what), std::move(complaint->fix));
    return;
  }
  origins[index] = std::move(place);
}

void SettingsDraft::report(SettingPlace place, std::string what, std::string fix) {
  problems.push_back({std::move(place), std::move(what), std::move(fix)});
}

const SettingPlace& SettingsDraft::origin(std::string_view key) const {
  const Option* option = find_option(key);
  CHECK(option != nullptr);
  return origins[option_index(*option)];
}

bool SettingsDraft::is_refused(std::string_view key) const {
  const Option* option = find_option(key);
  CHECK(option != nullptr);
  return refused[option_index(*option)];
}

std::string key_suggestion(std::string_view key, KeySyntax syntax) {
  const std::string_view meant = suggest_key(key);
  if (meant.empty()) return "virtmeter config example lists every key";
  const bool same_table = table_of(meant) == table_of(key);
  if (syntax == KeySyntax::dotted) return "did you mean " + shown_in_quotes(meant) + "?";
  if (same_table) return "did you mean " + shown_in_quotes(leaf_of(meant)) + "?";
  if (table_of(meant).empty())
    return "did you mean " + shown_in_quotes(meant) + " at the top level, above the first [table]?";
  return "did you mean " + shown_in_quotes(meant) + ", that is " + std::string(leaf_of(meant)) + " below [" +
         std::string(table_of(meant)) + "]?";
}

}  // namespace virtmeter
