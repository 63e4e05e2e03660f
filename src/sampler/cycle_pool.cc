#include "sampler/cycle_pool.h"

namespace virtmeter {

std::shared_ptr<Cycle> CyclePool::take() {
  for (const std::shared_ptr<Cycle>& cycle : cycles_) {
    if (cycle.use_count() != 1) continue;
    // Counting up and down orders us behind the reads of whoever held it last; reading the count does not.
    std::shared_ptr<Cycle>(cycle).reset();
    return cycle;
  }
  auto cycle = std::make_shared<Cycle>();
  if (cycles_.size() < kKept) cycles_.push_back(cycle);
  return cycle;
}

}  // namespace virtmeter
