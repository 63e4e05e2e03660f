// The JSON of /api/v1/status as a table of at most 80 columns, but for what servers and libvirt say. Pure
// function. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace virtmeter {

struct StatusView {
  bool ready = false;
  std::string table;
};

// Nothing when `json` is no status of a virtmeter.
std::optional<StatusView> status_view(std::string_view json);

}  // namespace virtmeter
