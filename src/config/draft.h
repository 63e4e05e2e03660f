// The settings while they are being loaded: values with their origins, and every problem met on the way. Each
// layer is applied in turn, lowest precedence first. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "config/problem.h"
#include "config/value.h"

namespace virtmeter {

struct SettingsDraft {
  // More than a person mends in one go; and it bounds the work a hostile file can cause.
  static constexpr std::size_t kProblemsMax = 100;

  Settings settings;
  std::vector<SettingPlace> origins = std::vector<SettingPlace>(options().size());
  std::vector<bool> refused = std::vector<bool>(options().size());  // Some layer's value was no good.
  std::vector<SettingProblem> problems;
  std::vector<std::string> warnings;

  bool is_full() const { return problems.size() >= kProblemsMax; }

  void set(const Option& option, const SettingValue& value, SettingPlace place);
  void report(SettingPlace place, std::string what, std::string fix);

  const SettingPlace& origin(std::string_view key) const;
  bool is_refused(std::string_view key) const;
};

// "did you mean ...?" for a key nobody knows, as it is written in a file, where tables hold the keys, or
// dotted as in --set. Without a near key: where the list of all is.
enum class KeySyntax : std::uint8_t { file, dotted };
std::string key_suggestion(std::string_view key, KeySyntax syntax);

}  // namespace virtmeter
