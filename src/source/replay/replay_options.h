// ReplayOptions: the address of a recording and how it is to be played, "replay:///FILE?vms=10000&seed=7"
// (docs/replay.md). Pure functions. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace virtmeter {

struct ReplayOptions {
  static constexpr std::uint64_t kVmsMax = 100'000;
  static constexpr std::uint64_t kNicsMax = 16;
  static constexpr std::uint64_t kDisksMax = 24;  // vda to vdx.
  static constexpr double kPerHourMax = 3600;

  std::string path;
  std::uint64_t vms = 0;              // 0: as many as are recorded.
  std::uint64_t seed = 1;             // Everything that differs between two VMs follows from it.
  double churn = 0;                   // How often an hour each VM stops and starts again.
  double hotplug = 0;                 // How often an hour each VM gets or loses a device.
  std::optional<std::uint64_t> nics;  // Per VM; absent: as recorded.
  std::optional<std::uint64_t> disks;
};

bool is_replay_address(std::string_view text);

Result<ReplayOptions> parse_replay_address(std::string_view text);

}  // namespace virtmeter
