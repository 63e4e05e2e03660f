// SpoolOptions: what bounds the spool and how it treats the disk. Plain data.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace virtmeter {

// When what was written is made safe against a power cut (fdatasync).
enum class SpoolSync : std::uint8_t {
  every_append,  // Once for each cycle's lines.
  interval,      // At most once each sync_interval.
  never,         // The kernel decides; a killed process still loses nothing that was written.
};

// When those who wait for lines learn of new ones.
enum class AppendWake : std::uint8_t { now, later };

struct SpoolOptions {
  static constexpr std::size_t kLineBytesMax = 1u << 20;
  // A record and a batch end here even when they may hold more lines: several servers refuse bodies above
  // 10 MiB.
  static constexpr std::size_t kBatchBytesMax = 4u << 20;

  std::string folder;  // Empty: lines wait in memory only.

  // Caps. What is over is evicted, the oldest segment first and whole, and counted.
  std::uint64_t max_bytes = std::uint64_t{1} << 30;
  std::chrono::nanoseconds max_age = std::chrono::hours(30 * 24);
  // What the file system shall keep free; never more than a tenth of its size is asked for.
  std::uint64_t min_free_bytes = std::uint64_t{1} << 30;

  // A segment ends at whichever comes first.
  std::uint64_t segment_bytes = 16u << 20;
  std::chrono::nanoseconds segment_age = std::chrono::hours(1);

  SpoolSync sync = SpoolSync::every_append;
  std::chrono::nanoseconds sync_interval = std::chrono::seconds(5);

  // Lines held in memory: those that are on disk leave it first. Lines that are not on disk are bounded by
  // memory_bytes, and without a folder by memory_lines too.
  std::uint64_t memory_lines = 20'000;
  std::size_t memory_bytes = 64u << 20;

  std::uint64_t batch_lines = 2'000;
  std::chrono::nanoseconds batch_wait = std::chrono::seconds(1);

  // How fast backlog is handed out; 0: 20 times the rate at which lines come, and at least 2'000.
  std::uint64_t drain_lines_per_sec = 0;
  // How long what was acknowledged can be handed out again (SpoolReader::replay).
  std::chrono::nanoseconds replay_hold = std::chrono::seconds(15);
};

}  // namespace virtmeter
