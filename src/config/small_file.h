// Reads a file that is meant to be small, whole, with every refusal told in words. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "base/result.h"

namespace virtmeter {

struct SmallFile {
  std::string text;
  mode_t mode = 0;

  bool is_open_to_others() const { return (mode & 0007) != 0; }
};

// not_found: there is none. permission: we may not read it. limit: it holds more than `limit_bytes`. invalid:
// it is a folder. io: anything else. The message is a clause without the path: "is a folder".
Result<SmallFile> read_small_file(const std::string& path, std::size_t limit_bytes);

// "permission denied" of EACCES.
std::string errno_clause(int error_number);

}  // namespace virtmeter
