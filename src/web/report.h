// What the daemon says of itself, as plain data, and the interface by which the pages ask for it. Field names
// in status JSON follow these members. A Report is one moment's picture: per sink collected = delivered +
// waiting + in_flight + the sum of dropped. Not thread-safe; ReportSource is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace virtmeter {

struct NamedCount {
  std::string_view name;  // Static text, snake_case.
  std::uint64_t count = 0;
};

struct CollectorReport {
  bool running = false;
  std::chrono::nanoseconds interval{0};
  std::uint64_t cycles = 0;  // Tried, the failed ones included.
  std::uint64_t failed_cycles = 0;
  std::uint64_t missed_beats = 0;
  std::uint64_t vms = 0;  // In the last cycle.
  std::uint64_t unknown_states = 0;
  double loop_latency_ms = 0;                              // Of the last cycle.
  std::optional<std::chrono::nanoseconds> last_cycle_age;  // Absent: none has ended yet.
  std::vector<NamedCount> absent_values;                   // Since start, by reason.
};

struct HungVmReport {
  std::string name;  // A stranger's bytes.
  std::string uuid;
  std::chrono::nanoseconds hung_for{0};
};

struct SourceReport {
  std::string target;
  std::string version;  // Empty while not connected.
  bool connected = false;
  std::string last_error;  // Why not connected, with the fix; empty when all is well.
  std::vector<NamedCount> counts;
  std::vector<HungVmReport> hung;  // In the last cycle; the first few.
};

struct SinkReport {
  std::string name;
  std::string target;
  std::uint64_t collected = 0;  // Lines, like all that follow but bytes and requests.
  std::uint64_t delivered = 0;
  std::uint64_t waiting = 0;
  std::uint64_t in_flight = 0;
  std::vector<NamedCount> dropped;  // By reason.
  std::uint64_t waiting_bytes = 0;
  std::optional<WallTime> oldest_waiting;
  std::vector<NamedCount> counts;  // What else delivery counts.
  std::uint64_t retries = 0;
  std::uint64_t requests = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t wire_bytes = 0;
  std::optional<WallTime> failing_since;  // Absent: the last send worked, or there was none.
  std::optional<WallTime> last_success;
  std::optional<WallTime> next_try;  // Set while it waits before it tries again.
  std::optional<Error> last_error;   // The latest, even if it has passed.

  std::uint64_t dropped_total() const;
};

struct SpoolState {
  std::string folder;
  std::optional<WallTime> failing_since;  // Absent: the disk takes what comes.
  std::optional<Error> last_error;
  std::vector<NamedCount> counts;
};

struct Reason {
  std::string what;
  std::string fix;
};

struct Report {
  std::string version;
  int pid = 0;
  WallTime started;
  std::chrono::nanoseconds uptime{0};
  CollectorReport collector;
  std::vector<SourceReport> sources;
  std::vector<SinkReport> sinks;
  std::optional<SpoolState> spool;
  std::vector<Reason> stalled;  // Parts that do not move: what the watchdog acts on.
};

class ReportSource {
 public:
  virtual ~ReportSource() = default;

  // Takes short locks only and never waits for libvirt, a disk or a server. Thread-safe.
  virtual Report report() const = 0;
};

}  // namespace virtmeter
