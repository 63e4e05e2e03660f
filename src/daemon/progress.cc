#include "daemon/progress.h"

#include <algorithm>

#include "base/check.h"

namespace virtmeter {

void Progress::watch(std::string part, std::chrono::nanoseconds patience,
                     std::function<BootTime()> last_move) {
  const MutexLock lock(mutex_);
  parts_.push_back({std::move(part), patience, std::move(last_move)});
}

void Progress::set_patience(std::string_view part, std::chrono::nanoseconds patience) {
  const MutexLock lock(mutex_);
  const auto found =
      std::find_if(parts_.begin(), parts_.end(), [&](const Part& known) { return known.name == part; });
  CHECK(found != parts_.end());
  found->patience = patience;
}

std::vector<Progress::Stalled> Progress::stalled() const {
  const MutexLock lock(mutex_);
  std::vector<Stalled> stalled;
  for (const Part& part : parts_) {
    const std::chrono::nanoseconds still = clock_.boot_now() - part.last_move();
    if (still > part.patience) stalled.push_back({part.name, still});
  }
  return stalled;
}

}  // namespace virtmeter
