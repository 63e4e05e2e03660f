// From a raw value (a node of a TOML file, or the text of a variable or flag) to a member of Settings, with
// every check an option alone allows. Pure functions. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/options.h"

namespace virtmeter {

struct SettingValue {
  enum class Kind : std::uint8_t {
    plain,  // From the environment or a flag: any type, spelled without quotes.
    string,
    integer,
    number,
    boolean,
    date,
    array,
    table,
  };

  Kind kind = Kind::plain;
  std::string text{};  // Of plain and string.
  std::int64_t integer = 0;
  double number = 0;

  static SettingValue from_text(std::string text) { return {.kind = Kind::plain, .text = std::move(text)}; }
};

struct SettingComplaint {
  std::string what;
  std::string fix;
};

// Sets the option's member, or says what is wrong and leaves it. A secret's value is in neither text.
[[nodiscard]] std::optional<SettingComplaint> assign(const Option& option, const SettingValue& value,
                                                     Settings& settings);

}  // namespace virtmeter
