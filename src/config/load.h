// Loading settings: flags before environment before files before defaults, each checked against the table of
// options, and either everything is good or every problem is told at once. Reads files; changes nothing.
// Thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"
#include "config/settings.h"

namespace virtmeter {

inline constexpr std::string_view kConfigFile = "/etc/virtmeter/virtmeter.toml";

// One key=value of the command line, and the flag it came from: "--set", "--poll-interval".
struct SettingOverride {
  std::string assignment;
  std::string flag = "--set";
};

// The value of an environment variable, or nothing when it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

EnvironmentLookup process_environment();

struct LoadInputs {
  std::string file =
      std::string(kConfigFile);  // Empty: read no file. Beside it, conf.d/*.toml in name order.
  bool file_must_exist = false;
  std::vector<SettingOverride> overrides{};
  EnvironmentLookup environment{};
  std::string system_state_dir = Settings{}.state_dir;  // Where it may be written, the default of state_dir.
};

struct LoadedSettings {
  Settings settings;
  std::vector<SettingPlace> origins;  // One for each of options(), in their order.
  std::vector<std::string> warnings;
  std::vector<std::string> files;  // The files read, lowest precedence first.
};

// Settings, or problems sorted by place: exactly one of the two.
struct [[nodiscard]] LoadOutcome {
  std::optional<LoadedSettings> loaded;
  std::vector<SettingProblem> problems;

  explicit operator bool() const { return loaded.has_value(); }
};

LoadOutcome load_settings(const LoadInputs& inputs);

}  // namespace virtmeter
