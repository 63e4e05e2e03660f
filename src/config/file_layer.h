// One settings file's text, applied to the draft: TOML in, values and problems out. Touches no file. Pure but
// for the draft. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "config/draft.h"

namespace virtmeter {

// `path` and `file_index` (the file's number in reading order) are for places only.
void apply_file_text(std::string_view text, const std::string& path, std::size_t file_index,
                     SettingsDraft& draft);

}  // namespace virtmeter
