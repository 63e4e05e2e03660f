#include "source/replay/timeline.h"

#include <algorithm>

namespace virtmeter {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds kDown{20};

// The finalizer of splitmix64: every bit of the input moves half of the output's.
constexpr std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

}  // namespace

std::uint64_t draw(std::uint64_t seed, std::uint64_t vm, std::uint64_t what) {
  return mixed(mixed(mixed(seed + 0x9E3779B97F4A7C15u) + vm) + what);
}

double draw_fraction(std::uint64_t seed, std::uint64_t vm, std::uint64_t what) {
  return static_cast<double>(draw(seed, vm, what) >> 11) * 0x1p-53;
}

Recurrence::Recurrence(double per_hour, double phase) {
  if (per_hour <= 0) return;
  const double hour_ns = 3.6e12;
  period_ =
      nanoseconds(std::max<std::int64_t>(static_cast<std::int64_t>(std::min(hour_ns / per_hour, 1e18)), 1));
  offset_ = nanoseconds(static_cast<std::int64_t>(static_cast<double>(period_.count()) * phase));
}

Recurrence::Point Recurrence::at(nanoseconds time) const {
  if (period_ == nanoseconds(0)) return {0, time};
  const auto count = static_cast<std::uint64_t>((time + offset_) / period_);
  if (count == 0) return {0, time};
  return {count, (time + offset_) % period_};
}

std::optional<Life> life_at(const Recurrence& restarts, nanoseconds time) {
  const Recurrence::Point last = restarts.at(time);
  if (last.count == 0) return Life{0, time};
  const nanoseconds down = std::min<nanoseconds>(kDown, restarts.period() / 4);
  if (last.since < down) return std::nullopt;
  return Life{last.count, last.since - down};
}

Plugged plugged_at(const Recurrence& plugs, nanoseconds time) {
  const Recurrence::Point last = plugs.at(time);
  Plugged plugged;
  const std::uint64_t step = last.count % 4;
  if (step == 1) plugged.disk = last.since;
  if (step == 2) plugged.disk = last.since + plugs.period();
  if (step == 2) plugged.nic = last.since;
  if (step == 3) plugged.nic = last.since + plugs.period();
  return plugged;
}

}  // namespace virtmeter
