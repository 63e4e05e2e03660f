// The folder of everything virtmeter keeps on disk. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace virtmeter {

// Makes the folder (mode 0750) where it is missing and proves that files can be made in it.
Status prepare_state_folder(const std::string& path);

// Whether prepare_state_folder() would work, without making anything.
Status probe_state_folder(const std::string& path);

// Bytes that an ordinary user may still write there, or where the folder would be made.
Result<std::uint64_t> free_bytes(const std::string& path);

}  // namespace virtmeter
