// A Cycle as one JSON object on one line (JSON lines): time (RFC 3339, UTC, milliseconds), unix_ns (a string,
// for it does not fit a double), cycle, host, vms, collector. A value that was not read is null, and the
// object "absent" beside it, there only when it is needed, names the reason per field; "vm_features" is null
// as a whole where a VM has no trend at all, and "devices" where their list could not be read. Integers are
// exact to 64 bits. Names are repaired to valid UTF-8. Pure function. Thread-safe.
#pragma once

#include <string>

#include "model/cycle.h"

namespace virtmeter {

// Appends the object and a LF to `out`.
void encode_json(const Cycle& cycle, std::string& out);

}  // namespace virtmeter
