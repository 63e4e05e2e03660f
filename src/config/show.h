// What `virtmeter config show`, `config example` and docs/config.md print, all from the table of options.
// Secrets are masked. Pure functions. Thread-safe.
#pragma once

#include <string>

#include "config/load.h"

namespace virtmeter {

// Three aligned columns with a heading: key, value, origin. Strings stand in quotes.
std::string settings_table(const LoadedSettings& loaded);

// {"poll_interval": {"value": "5s", "origin": "default"}, ...}: integers as numbers, everything else as the
// text one would write; an unset secret as null.
std::string settings_json(const LoadedSettings& loaded);

// A complete settings file: every key with its help, its variable and its default, commented out.
std::string settings_example();

// docs/config.md.
std::string settings_markdown();

}  // namespace virtmeter
