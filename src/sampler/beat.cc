#include "sampler/beat.h"

#include "base/check.h"

namespace virtmeter {

Beat::Beat(BootTime start, std::chrono::nanoseconds interval) : next_(start), interval_(interval) {
  CHECK(interval.count() > 0);
}

void Beat::finished(BootTime now) {
  next_ = next_ + interval_;
  if (now <= next_) return;
  // The beats at or before now have passed while the cycle ran. One of exactly now can still be kept.
  const std::int64_t passed = ((now - next_) + interval_ - std::chrono::nanoseconds(1)) / interval_;
  missed_ += static_cast<std::uint64_t>(passed);
  next_ = next_ + passed * interval_;
}

}  // namespace virtmeter
