// SearchBudget: how many requests the search for bad lines may cost, as a token bucket, so that lines which
// are refused for ever do not turn into a flood of requests. Plain arithmetic. Not thread-safe.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace virtmeter {

class SearchBudget {
 public:
  // `requests` at once at most, and `per_second` more each second.
  SearchBudget(std::uint64_t requests, std::uint64_t per_second, BootTime now);

  // Whether `requests` are left; they are spent then.
  bool spend(std::uint64_t requests, BootTime now);

 private:
  const std::uint64_t max_;
  const std::uint64_t per_second_;
  std::uint64_t left_;
  BootTime filled_;  // When left_ was true to the second.
};

}  // namespace virtmeter
