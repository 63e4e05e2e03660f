// What a string setting must look like: printable, not too long, and by its option's rule an address or not
// empty. Pure functions. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/options.h"
#include "config/value.h"

namespace virtmeter {

// What is wrong with `text` as the value of the string or secret `option`; nothing when it is fine.
[[nodiscard]] std::optional<SettingComplaint> check_text(const Option& option, std::string_view text);

// ASCII letters made small.
std::string lowered_ascii(std::string_view text);

}  // namespace virtmeter
