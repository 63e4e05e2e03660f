// Which running VMs report no guest memory, and the command that mends it. Pure function. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "model/cycle.h"

namespace virtmeter {

struct GuestMemoryAdvice {
  std::size_t vms = 0;
  std::string what;  // "W201 guest memory is not available for 2 of 10 VMs (db-01, web-07)"
  std::string fix;
};

// Empty when every running VM reports it.
std::optional<GuestMemoryAdvice> advise_on_guest_memory(const Cycle& cycle);

}  // namespace virtmeter
