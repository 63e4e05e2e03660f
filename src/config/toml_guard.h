// What must be known of a text before toml++ 3.3.0 may see it. Its parser has undefined behaviour on some
// non-ASCII characters outside of texts, and a.b.c.d or [[[[ nested deep enough end in a stack overflow.
// Pure functions. Thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "config/toml_reader.h"

namespace virtmeter {

// The first of: a byte that is not UTF-8, a non-ASCII character outside of quotes and comments, a text in
// triple quotes (no setting has several lines), keys or brackets nested deeper than any setting needs.
std::optional<TomlSyntaxError> check_toml_is_safe(std::string_view text);

}  // namespace virtmeter
