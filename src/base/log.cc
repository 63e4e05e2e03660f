#include "base/log.h"

#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

namespace virtmeter {
namespace {

constexpr std::size_t kLogFileBytesMax = 10u << 20;
constexpr std::size_t kLogFilesMax = 5;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// systemd.exec(5): JOURNAL_STREAM holds device:inode of the journal's stream; stderr is it only if they
// agree.
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || fstat(2, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

spdlog::sink_ptr make_stderr_sink() {
  if (stderr_is_journal()) return std::make_shared<spdlog::sinks::systemd_sink_mt>("virtmeter");
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  return sink;
}

// The outputs can be changed under the hands of other threads, the logger itself never is.
struct Log {
  Log() {
    outputs->add_sink(make_stderr_sink());
    logger.flush_on(spdlog::level::info);
  }
  std::shared_ptr<spdlog::sinks::dist_sink_mt> outputs = std::make_shared<spdlog::sinks::dist_sink_mt>();
  spdlog::logger logger{"virtmeter", outputs};
};

// The one global of the program: a log is wanted from the first line of main to the last, and by threads that
// hang beyond it, so it is never destroyed.
Log& the_log() {
  static auto* instance = new Log;
  return *instance;
}

}  // namespace

Status open_log(const LogOptions& options) {
  std::vector<spdlog::sink_ptr> sinks{make_stderr_sink()};
  if (!options.file.empty()) {
    try {
      auto file = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.file, kLogFileBytesMax,
                                                                         kLogFilesMax);
      file->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
      sinks.push_back(std::move(file));
    } catch (const spdlog::spdlog_ex& failure) {
      return Error{Errc::io, fmt::format("log_file {}: {}", options.file, failure.what()),
                   "name a file in a folder that exists and that this user may write"};
    }
  }
  the_log().outputs->set_sinks(std::move(sinks));
  the_log().logger.set_level(to_spdlog(options.level));
  return Status::ok();
}

bool log_enabled(LogLevel level) { return the_log().logger.should_log(to_spdlog(level)); }

void log_line(LogLevel level, std::string_view line) { the_log().logger.log(to_spdlog(level), "{}", line); }

std::uint64_t WarningLimiter::admit(std::string_view cause, BootTime now) {
  const MutexLock lock(mutex_);
  const auto known = seen_.find(cause);
  if (known == seen_.end()) {
    if (seen_.size() >= kCausesMax) {
      seen_.erase(std::min_element(seen_.begin(), seen_.end(), [](const auto& a, const auto& b) {
        return a.second.told < b.second.told;
      }));
    }
    seen_.emplace(cause, Seen{now, 0});
    return 1;
  }
  Seen& seen = known->second;
  if (now - seen.told < kRepeat) {
    ++seen.silent;
    return 0;
  }
  seen.told = now;
  return std::exchange(seen.silent, 0) + 1;
}

void LimitedLog::warn(std::string_view cause, std::string_view line) {
  const std::uint64_t times = limiter_.admit(cause, clock_.boot_now());
  if (times == 1) log_warning("{}", line);
  if (times > 1) log_warning("{} ({} times since it was last told)", line, times);
}

}  // namespace virtmeter
