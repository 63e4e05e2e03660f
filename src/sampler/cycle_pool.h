// CyclePool: cycles to be filled again, so that a beat with as many VMs as the last allocates nothing. A
// cycle comes back when the last of its holders lets go of it, on whichever thread. Nobody may keep a
// weak_ptr to one: it would bring a cycle that is being filled to light. Not thread-safe itself.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "model/cycle.h"

namespace virtmeter {

class CyclePool {
 public:
  // What the pool keeps: the one being filled, the last one, one with a reader, one to spare. Further cycles
  // that are held at one time are made for once.
  static constexpr std::size_t kKept = 4;

  // A cycle that nobody else holds, with whatever it held when it was last taken.
  std::shared_ptr<Cycle> take();

  std::size_t kept() const { return cycles_.size(); }

 private:
  std::vector<std::shared_ptr<Cycle>> cycles_;
};

}  // namespace virtmeter
