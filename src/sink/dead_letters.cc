#include "sink/dead_letters.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"

namespace virtmeter {
namespace {

constexpr mode_t kFolderMode = 0750;
constexpr std::size_t kPendingBytesMax = 1u << 20;

// RFC 3339, in UTC.
std::string timestamp(WallTime time) {
  const auto ms = std::max<std::int64_t>(time.unix_ns, 0) / 1'000'000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(ms / 1000)),
                     ms % 1000);
}

}  // namespace

DeadLetters::DeadLetters(DeadLettersOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      file_({options_.folder + "/" + options_.sink + ".ndjson", options_.max_bytes}),
      sink_(options_.sink),
      target_(options_.target) {}

void DeadLetters::set_target(std::string sink, std::string target) {
  sink_ = std::move(sink);
  target_ = std::move(target);
}

void DeadLetters::add(const DeadLetter& letter) {
  nlohmann::ordered_json object;
  object["time"] = timestamp(clock_.wall_now());
  object["sink"] = sink_;
  object["target"] = target_;
  object["cause"] = letter.cause;
  if (letter.status != 0) object["status"] = letter.status;
  object["words"] = letter.words;
  object["line_number"] = letter.line_number;
  if (letter.line.empty()) {
    object["lines"] = letter.lines;
  } else {
    object["line"] = letter.line;
  }
  if (!letter.note.empty()) object["note"] = letter.note;
  pending_ += object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  pending_ += '\n';
  ++pending_letters_;
  if (pending_.size() >= kPendingBytesMax) flush();
}

void DeadLetters::flush() {
  if (pending_letters_ == 0) return;
  const Status written = write();
  (written ? counts_.written : counts_.unwritten) += pending_letters_;
  if (written) {
    told_ = false;
  } else if (!told_) {
    told_ = true;
    log_warning("lines that were refused cannot be kept for you to see: {}; fix: {}", written.error().message,
                written.error().fix);
  }
  pending_.clear();
  pending_letters_ = 0;
}

Status DeadLetters::write() {
  if (options_.folder.empty()) return Error{Errc::not_found, "no folder for dead letters", "set state_dir"};
  if (mkdir(options_.folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return Error{Errc::io, fmt::format("create {}: {}", printable(options_.folder), std::strerror(errno)),
                 "let this user write the state folder, or free space there"};
  }
  const SendResult result = file_.send({pending_, pending_letters_, 0});
  if (result.verdict == Verdict::delivered) return Status::ok();
  return result.error;
}

}  // namespace virtmeter
