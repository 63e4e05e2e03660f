// The one table of options. Reading files, environment and flags, checking, `config show`, `config example`
// and docs/config.md all derive from it: one more option is one row here and one member of Settings. Pure
// functions over constants. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.h"

namespace virtmeter {

enum class OptionType : std::uint8_t { string, secret, integer, duration, choice };

// What a string must be besides printable.
enum class TextRule : std::uint8_t {
  any,
  not_empty,
  folder,          // Not empty; in the environment a ':'-separated list whose first entry counts (systemd).
  web_address,     // Empty, or http(s)://host without a password.
  listen_address,  // Empty, or host:port.
};

// When a new value counts after SIGHUP, and who takes it.
enum class Reload : std::uint8_t {
  at_start,   // At the next start only.
  collector,  // From the next cycle on.
  sink,       // The sink is opened anew; what waits goes to the new one.
  log,        // At once.
};

// The member an option fills; its type is the option's type. A new enum is one more alternative.
using OptionMember =
    std::variant<std::string Settings::*, Secret Settings::*, std::int64_t Settings::*,
                 std::chrono::nanoseconds Settings::*, LogLevel Settings::*, Settings::SourceKind Settings::*,
                 Settings::InfluxApi Settings::*, Settings::Missing Settings::*,
                 Settings::CoreDumps Settings::*, Settings::SpoolSync Settings::*>;

struct Option {
  static constexpr std::int64_t kNoMaximum = std::numeric_limits<std::int64_t>::max();

  std::string_view key;  // Dotted: "http.listen" is listen in the table [http].
  std::string_view environment;
  OptionMember member{};  // The default is the value this member has in Settings{}.
  std::string_view help;  // One sentence.
  std::string_view group{};
  std::int64_t minimum = 0;  // Of integers; of durations in nanoseconds.
  std::int64_t maximum = kNoMaximum;
  std::span<const std::string_view> choices{};  // In the order of the enum's values.
  TextRule rule = TextRule::any;
  Reload reload = Reload::at_start;
  std::string_view example{};  // Where the default is no good example.
};

std::span<const Option> options();
std::size_t option_index(const Option& option);

// Null when there is no such key.
const Option* find_option(std::string_view key);

OptionType type_of(const Option& option);

// "http" of "http.listen", empty of a top-level key; and "listen".
std::string_view table_of(std::string_view key);
std::string_view leaf_of(std::string_view key);

// The tables that hold options, in the table's order, without the top level.
std::vector<std::string_view> option_tables();

// "--http-listen" of "http.listen".
std::string flag_name(const Option& option);

// The option's value in `settings` as one writes it, without quotes; a secret as "(set, 64 characters)".
std::string value_text(const Option& option, const Settings& settings);
std::string default_text(const Option& option);
std::string example_text(const Option& option);

// `text` as a TOML value of the option: in quotes and escaped, but for integers.
std::string toml_literal(const Option& option, std::string_view text);

// "a duration", for a message.
std::string type_text(const Option& option);

// "500ms to 3600s", for a table.
std::string allowed_text(const Option& option);

// Whether the option has the same value in both.
bool same_value(const Option& option, const Settings& a, const Settings& b);
void copy_value(const Option& option, const Settings& from, Settings& to);

// "yes" or "at the next start", for a table.
std::string_view reload_text(Reload reload);

// The key that was probably meant by `key`, or empty.
std::string_view suggest_key(std::string_view key);
std::string_view suggest_table(std::string_view table);

}  // namespace virtmeter
