// Recording: what VMs answered over some cycles, read from line protocol as `virtmeter once` prints it
// (docs/replay.md). Holds what was read from the hypervisor; sums, trends and everything else that is derived
// is passed over. A VM is known by its UUID, a device by its name; counters are made to go on where the
// recorded VM was restarted. Immutable, so thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/cycle.h"

namespace virtmeter {

// One value of each row per frame. A row that was not recorded in a frame is absent there and holds, for a
// counter, what it had counted before.
template <Scope S>
struct Track {
  std::string device;  // Empty for the VM itself.
  std::vector<Values<S>> frames;
};

struct VmTrack {
  std::string name;
  Uuid uuid;
  Track<Scope::vm> vm;
  std::vector<Track<Scope::nic>> nics;
  std::vector<Track<Scope::disk>> disks;
};

struct Recording {
  static constexpr std::size_t kBytesMax = 16u << 20;
  static constexpr std::size_t kVmsMax = 1000;
  // A frame holds every VM that was met in any, so their product is bounded.
  static constexpr std::size_t kVmFramesMax = 50'000;

  // Since the first frame; at least two of them.
  std::vector<std::chrono::nanoseconds> frames;
  std::vector<VmTrack> vms;  // In the order they were met; at least one.

  std::chrono::nanoseconds length() const { return frames.back(); }
};

// The rows of a scope that are read from a hypervisor.
template <Scope S>
constexpr std::size_t read_row_count() {
  std::size_t count = 0;
  for (MetricId id = rows_of(S).first; id < rows_of(S).end; ++id)
    count += metric(id).origin.how == How::read ? 1 : 0;
  return count;
}
template <Scope S>
inline constexpr auto kReadRows = [] {
  std::array<MetricId, read_row_count<S>()> rows{};
  std::size_t count = 0;
  for (MetricId id = rows_of(S).first; id < rows_of(S).end; ++id) {
    if (metric(id).origin.how == How::read) rows[count++] = id;
  }
  return rows;
}();

// Errors name the line: "line 12: ...".
Result<Recording> parse_recording(std::string_view text);

}  // namespace virtmeter
