// Backoff: how long to wait before the next try. Full jitter below a bound that doubles from 1 s to 60 s, so
// that many hosts that lost one server do not come back in step; never sooner than the server asked for, but
// for an hour's sleep on its word alone. Pure arithmetic. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace virtmeter {

struct BackoffOptions {
  std::chrono::nanoseconds min = std::chrono::seconds(1);
  std::chrono::nanoseconds max = std::chrono::seconds(60);
  std::chrono::nanoseconds retry_after_max = std::chrono::minutes(10);
  std::uint32_t seed = std::random_device{}();
};

class Backoff {
 public:
  explicit Backoff(BackoffOptions options) : options_(options), random_(options.seed) {}

  // The wait after one more failure.
  std::chrono::nanoseconds next(std::optional<std::chrono::seconds> retry_after);

  // The bound below which next() would choose.
  std::chrono::nanoseconds bound() const;

  void reset() { failures_ = 0; }

 private:
  const BackoffOptions options_;
  std::minstd_rand random_;
  unsigned failures_ = 0;
};

}  // namespace virtmeter
