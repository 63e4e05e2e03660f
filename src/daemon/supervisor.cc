#include "daemon/supervisor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "web/readiness.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr milliseconds kPatienceStarting{50};
constexpr seconds kPatienceMax{5};
constexpr milliseconds kPatienceMin{50};
// Signs of life in one interval of the watchdog: one late tick must not look like death.
constexpr int kSignsPerInterval = 4;
constexpr std::size_t kStatusBytesMax = 300;

}  // namespace

std::string status_line(const Report& report) {
  const std::vector<Reason> reasons = reasons_not_ready(report);
  std::string line;
  if (!reasons.empty()) {
    line = "not ready: " + reasons.front().what;
    if (reasons.size() > 1) line += fmt::format(" (and {} more)", reasons.size() - 1);
  } else {
    line = fmt::format("{} VMs in {:.0f} ms", report.collector.vms, report.collector.loop_latency_ms);
    for (const SinkReport& sink : report.sinks)
      line += fmt::format("; {}: {} lines wait", sink.name, sink.waiting + sink.in_flight);
  }
  return printable(line, kStatusBytesMax);
}

Supervisor::Supervisor(const ReportSource& daemon, ServiceManager& manager)
    : daemon_(daemon), manager_(manager), watchdog_(manager.watchdog()) {}

nanoseconds Supervisor::patience() const {
  nanoseconds patience = ready_ ? nanoseconds(kPatienceMax) : nanoseconds(kPatienceStarting);
  if (watchdog_) patience = std::min(patience, *watchdog_ / kSignsPerInterval);
  return std::max(patience, nanoseconds(kPatienceMin));
}

void Supervisor::tick() {
  const Report report = daemon_.report();
  std::string state;
  if (!ready_ && report.collector.last_cycle_age) {
    ready_ = true;
    state += "READY=1\n";
  }
  if (std::string line = status_line(report); line != told_status_) {
    state += "STATUS=" + line + "\n";
    told_status_ = std::move(line);
  }
  if (watchdog_ && report.stalled.empty()) state += "WATCHDOG=1\n";
  if (!state.empty()) manager_.notify(state);
  tell_stalls(report);
}

void Supervisor::tell_stalls(const Report& report) {
  const bool stalled = !report.stalled.empty();
  if (stalled == stalled_) return;
  stalled_ = stalled;
  if (!stalled) return log_info("every part moves again");
  for (const Reason& reason : report.stalled) {
    log_error("{}{}; fix: {}", reason.what,
              watchdog_ ? fmt::format("; without a move the service manager restarts virtmeter within {}",
                                      format_duration(*watchdog_))
                        : "",
              reason.fix);
  }
}

void Supervisor::reloading(std::uint64_t monotonic_us) {
  manager_.notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", monotonic_us));
}

// READY=1 also where it has not been said yet: without it the reload would never end.
void Supervisor::reloaded() {
  ready_ = true;
  manager_.notify("READY=1\n");
}

void Supervisor::stopping() { manager_.notify("STOPPING=1\nSTATUS=stopping\n"); }

}  // namespace virtmeter
