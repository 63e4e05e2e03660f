#include "spool/drain_rate.h"

#include <algorithm>

namespace virtmeter {
namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;
constexpr std::int64_t kRateMax = 1'000'000'000;

}  // namespace

void LineRate::note(std::uint64_t line_count, BootTime now) {
  if (!started_) {
    started_ = true;
    since_ = now;
    return;
  }
  lines_ += line_count;
  const std::chrono::nanoseconds elapsed = now - since_;
  if (elapsed < kWindow) return;
  lines_per_sec_ = static_cast<std::uint64_t>(static_cast<double>(lines_) /
                                              std::chrono::duration<double>(elapsed).count());
  lines_ = 0;
  since_ = now;
}

TokenBucket::TokenBucket(std::uint64_t burst)
    : burst_(static_cast<std::int64_t>(std::clamp<std::uint64_t>(burst, 1, kRateMax))), tokens_(burst_) {}

void TokenBucket::refill(std::uint64_t per_sec, BootTime now) {
  per_sec_ = static_cast<std::int64_t>(std::clamp<std::uint64_t>(per_sec, 1, kRateMax));
  if (!started_) {
    started_ = true;
    filled_at_ = now;
  }
  const std::int64_t room = std::max<std::int64_t>(burst_ - tokens_, 0);
  const double seconds = std::chrono::duration<double>(now - filled_at_).count();
  const auto due =
      static_cast<std::int64_t>(std::min(static_cast<double>(per_sec_) * seconds, static_cast<double>(room)));
  if (room == 0) filled_at_ = now;
  if (due <= 0) return;
  tokens_ += due;
  filled_at_ = now;
}

BootTime TokenBucket::ready_at() const {
  if (tokens_ > 0) return filled_at_;
  // Rounded up, so that the lines are there when it has come.
  const std::int64_t missing = 1 - tokens_;
  return filled_at_ + std::chrono::nanoseconds((missing * (kNanoseconds / 1000) / per_sec_ + 1) * 1000);
}

void TokenBucket::spend(std::uint64_t line_count) {
  tokens_ -= static_cast<std::int64_t>(std::min<std::uint64_t>(line_count, kRateMax));
}

}  // namespace virtmeter
