#include "sink/restart_watch.h"

namespace virtmeter {
namespace {

constexpr std::size_t kValueBytesMax = 64;

// The value of the first sample of `name`, with labels or without; empty when there is none.
std::string_view value_of(std::string_view metrics, std::string_view name) {
  for (std::size_t at = metrics.find(name); at != std::string_view::npos; at = metrics.find(name, at + 1)) {
    if (at > 0 && metrics[at - 1] != '\n') continue;
    std::string_view line = metrics.substr(at, metrics.find('\n', at) - at).substr(name.size());
    if (!line.starts_with(' ') && !line.starts_with('{')) continue;
    const std::size_t space = line.rfind(' ');
    if (space != std::string_view::npos) return line.substr(space + 1).substr(0, kValueBytesMax);
  }
  return {};
}

}  // namespace

std::optional<std::string> process_start_of(std::string_view metrics) {
  const std::string_view process = value_of(metrics, "process_start_time_seconds");
  const std::string_view app = value_of(metrics, "vm_app_start_timestamp");
  if (process.empty() && app.empty()) return std::nullopt;
  return std::string(process) + "/" + std::string(app);
}

bool RestartWatch::accepted_by(std::optional<std::string> started) {
  bool restarted = accepted_before_ && failed_;
  if (started && started_) restarted = *started != *started_;
  if (started) started_ = std::move(started);
  failed_ = false;
  accepted_before_ = true;
  return restarted;
}

}  // namespace virtmeter
