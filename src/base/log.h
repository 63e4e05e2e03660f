// The log: short lines to stderr, or to the journal with their priority when stderr is the journal, and
// besides to a rotated file when one is named. WarningLimiter is for causes that repeat every cycle: the
// first is a line, the rest a count that is told once an hour. Thread-safe.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace virtmeter {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct LogOptions {
  LogLevel level = LogLevel::info;
  std::string file;  // Empty: none. Else rotated at 10 MiB, 5 files kept.
};

// Replaces the log's outputs and level; other threads may be logging. Fails when the file cannot be opened;
// everything then stays as it was: at first stderr, at level info.
Status open_log(const LogOptions& options);

bool log_enabled(LogLevel level);
void log_line(LogLevel level, std::string_view line);

template <typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::debug))
    log_line(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::info)) log_line(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

// Decides which occurrences of a cause become a line: the first, then one an hour with the count in between.
// At most kCausesMax causes are remembered; the oldest is forgotten first. Thread-safe.
class WarningLimiter {
 public:
  static constexpr std::size_t kCausesMax = 1000;
  static constexpr std::chrono::hours kRepeat{1};

  // How many occurrences this line stands for (itself and those kept silent before it), or 0: say nothing.
  std::uint64_t admit(std::string_view cause, BootTime now) EXCLUDES(mutex_);

 private:
  struct Seen {
    BootTime told;
    std::uint64_t silent = 0;
  };
  Mutex mutex_;
  std::map<std::string, Seen, std::less<>> seen_ GUARDED_BY(mutex_);
};

// Warnings of causes that repeat, through a WarningLimiter. Thread-safe.
class LimitedLog {
 public:
  // `clock` must outlive the log.
  explicit LimitedLog(const Clock& clock) : clock_(clock) {}

  void warn(std::string_view cause, std::string_view line);

 private:
  const Clock& clock_;
  WarningLimiter limiter_;
};

}  // namespace virtmeter
