// Where the database's token comes from: the setting itself, a file it names, or systemd's credential (the
// LoadCredential= of systemd.exec(5)). Reads files. Thread-safe.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "config/draft.h"
#include "config/secret.h"

namespace virtmeter {

// Fills influx_token and influx_token_path of the draft from influx_token_file or from
// <credentials_directory>/influx-token where it is to come from there. Of influx_token and influx_token_file
// the one set with higher precedence counts; both set at the same layer is a problem. `credentials_directory`
// may be empty.
void resolve_token(const std::string& credentials_directory, SettingsDraft& draft);

// The token in a file such as those, read anew. The error names the file.
Result<Secret> read_token(const std::string& path);

// The warning about a file with a secret in it that every user of the host may read.
std::string open_secret_warning(const std::string& path, mode_t mode);

}  // namespace virtmeter
