// What the process denies to others on its own host, before it reads a secret. Main thread only.
#pragma once

#include "base/result.h"

namespace virtmeter {

// Errc::permission when the process has more rights than its user (setuid, setgid, file capabilities):
// settings, environment and file names come from a user whom those rights would serve.
Status refuse_borrowed_rights();

// New files are at most 0640, folders 0750.
void close_new_files_to_others();

// No core file, and no other process of the same user may read our memory or environment: they hold the
// database's token.
void leave_no_core();

}  // namespace virtmeter
