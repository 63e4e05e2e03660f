// Supervisor: tells the service manager how the daemon does. READY=1 once the first cycle has been tried,
// STATUS= as one line, WATCHDOG=1 only while every part moves: a daemon that has stalled falls silent and is
// restarted. Main thread only.
#pragma once

#include <optional>
#include <string>

#include "daemon/service_manager.h"
#include "web/report.h"

namespace virtmeter {

class Supervisor {
 public:
  // Both must outlive the supervisor.
  Supervisor(const ReportSource& daemon, ServiceManager& manager);

  // How long the caller may wait until the next tick().
  std::chrono::nanoseconds patience() const;

  void tick();

  // Around a reload, as sd_notify(3) wants it. `monotonic_us`: when the reload began.
  void reloading(std::uint64_t monotonic_us);
  void reloaded();

  void stopping();

 private:
  void tell_stalls(const Report& report);

  const ReportSource& daemon_;
  ServiceManager& manager_;
  const std::optional<std::chrono::nanoseconds> watchdog_;
  bool ready_ = false;
  bool stalled_ = false;
  std::string told_status_;
};

// "38 VMs in 84 ms; influx: 120 lines wait", or what is wrong.
std::string status_line(const Report& report);

}  // namespace virtmeter
