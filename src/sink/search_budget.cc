#include "sink/search_budget.h"

#include <algorithm>

namespace virtmeter {

SearchBudget::SearchBudget(std::uint64_t requests, std::uint64_t per_second, BootTime now)
    : max_(requests), per_second_(per_second), left_(requests), filled_(now) {}

bool SearchBudget::spend(std::uint64_t requests, BootTime now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - filled_);
  const auto passed = static_cast<std::uint64_t>(std::max<std::int64_t>(seconds.count(), 0));
  // After so long it is full, whatever the product would be.
  left_ = passed > max_ ? max_ : std::min(max_, left_ + passed * per_second_);
  filled_ = filled_ + std::chrono::seconds(passed);
  if (requests > left_) return false;
  left_ -= requests;
  return true;
}

}  // namespace virtmeter
