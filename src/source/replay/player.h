// Player: the values of a recording at any age of a VM. A recording is played over and over: counters go on
// from where they were, scaled; gauges and states are as recorded. Between two frames a counter grows evenly.
// Pure functions. Thread-safe.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>

#include "source/replay/recording.h"

namespace virtmeter {

// A place in the recording, between a frame and the next.
struct Position {
  double rounds = 0;  // How often the whole of it has been played.
  std::size_t frame = 0;
  double fraction = 0;  // Of the way to the next frame.
};

Position position_at(const Recording& recording, std::chrono::nanoseconds age);

// `growth` from 0 to 1: how much counters move, of what they did in the recording. More would let a VM use
// more CPU time than it has vCPUs.
template <Scope S>
void play(const Track<S>& track, const Position& position, double growth, Values<S>& values) {
  const Values<S>& from = track.frames[position.frame];
  const Values<S>& to = track.frames[position.frame + 1];
  for (const MetricId id : kReadRows<S>) {
    if (!from.has(id)) {
      values.set_absent(id, from.absence(id));
      continue;
    }
    const std::int64_t here = from.integer_or_remainder(id);
    if (metric(id).kind != Kind::counter) {
      values.set_integer(id, here);
      continue;
    }
    const std::int64_t first = track.frames.front().integer_or_remainder(id);
    const std::int64_t last = track.frames.back().integer_or_remainder(id);
    const auto difference = [](std::int64_t a, std::int64_t b) {
      return static_cast<double>(a) - static_cast<double>(b);
    };
    const double moved = position.rounds * difference(last, first) + difference(here, first) +
                         position.fraction * difference(to.integer_or_remainder(id), here);
    // Below the limit of what a double counts and an integer holds, whatever was recorded.
    constexpr double kMax = 9.0e18;
    values.set_integer(id, static_cast<std::int64_t>(
                               std::min(kMax, std::floor(static_cast<double>(first) + growth * moved))));
  }
}

}  // namespace virtmeter
