// ServiceManager: what a daemon tells systemd, by the protocol of sd_notify(3). Without systemd it tells
// nobody. Not thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace virtmeter {

class ServiceManager {
 public:
  virtual ~ServiceManager() = default;

  // Assignments, one a line: "READY=1\nSTATUS=...".
  virtual void notify(const std::string& state) = 0;

  // WatchdogSec= of the unit: the service is killed when it does not report for so long. Empty: none.
  virtual std::optional<std::chrono::nanoseconds> watchdog() const = 0;
};

class Systemd final : public ServiceManager {
 public:
  void notify(const std::string& state) override;
  std::optional<std::chrono::nanoseconds> watchdog() const override;
};

}  // namespace virtmeter
