#include "sink/backoff.h"

#include <algorithm>

namespace virtmeter {
namespace {

// 1 s doubled so often is above any bound in use, and nothing overflows on the way.
constexpr unsigned kDoublingsMax = 20;

}  // namespace

std::chrono::nanoseconds Backoff::bound() const {
  return std::min(options_.max, options_.min * (std::int64_t{1} << std::min(failures_, kDoublingsMax)));
}

std::chrono::nanoseconds Backoff::next(std::optional<std::chrono::seconds> retry_after) {
  const double share = static_cast<double>(random_() - std::minstd_rand::min()) /
                       static_cast<double>(std::minstd_rand::max() - std::minstd_rand::min());
  const std::chrono::nanoseconds wait(
      static_cast<std::int64_t>(share * static_cast<double>(bound().count())));
  ++failures_;
  if (!retry_after) return wait;
  return std::max(wait, std::min<std::chrono::nanoseconds>(*retry_after, options_.retry_after_max));
}

}  // namespace virtmeter
