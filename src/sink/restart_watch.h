// RestartWatch: VictoriaMetrics says 204 for lines that are in its memory only; killed, it loses those of its
// last seconds. This tells whether the server is another process than before, from the start time in its
// /metrics; where it gives none, from a connection that failed in between. Plain arithmetic. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace virtmeter {

// When the process says that it was started, as text to be compared: the samples process_start_time_seconds
// and vm_app_start_timestamp of Prometheus text. Empty when `metrics` holds neither.
std::optional<std::string> process_start_of(std::string_view metrics);

class RestartWatch {
 public:
  // A request was lost, or could not be sent.
  void connection_failed() { failed_ = true; }

  // A write was accepted by a process that was `started` then; absent: it does not say. Whether it is another
  // process than the one that accepted lines before.
  bool accepted_by(std::optional<std::string> started);

 private:
  std::optional<std::string> started_;
  bool failed_ = false;
  bool accepted_before_ = false;
};

}  // namespace virtmeter
