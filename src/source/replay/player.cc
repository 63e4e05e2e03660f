#include "source/replay/player.h"

#include <algorithm>

namespace virtmeter {

Position position_at(const Recording& recording, std::chrono::nanoseconds age) {
  const std::chrono::nanoseconds into = age % recording.length();
  const auto next = std::upper_bound(recording.frames.begin(), recording.frames.end(), into);
  Position position;
  position.rounds = static_cast<double>(age / recording.length());
  position.frame = static_cast<std::size_t>(next - recording.frames.begin()) - 1;
  position.fraction = static_cast<double>((into - *std::prev(next)).count()) /
                      static_cast<double>((*next - *std::prev(next)).count());
  return position;
}

}  // namespace virtmeter
