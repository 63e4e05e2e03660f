#include "sink/delivery.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace virtmeter {
namespace {

constexpr std::size_t kLineBytesShown = 200;
// Between two tries while the process is ending.
constexpr std::chrono::milliseconds kFlushWait{250};

std::string with_fix(const Error& error) {
  return error.fix.empty() ? error.message : error.message + "; fix: " + error.fix;
}

}  // namespace

Delivery::Delivery(LineQueue& queue, Sink& sink, const Clock& clock, DeliveryOptions options)
    : queue_(queue),
      sink_(sink),
      clock_(clock),
      options_(options),
      backoff_(options.backoff),
      rejections_(clock) {
  const MutexLock lock(mutex_);
  status_.sink = sink_.name();
  status_.target = sink_.target();
}

void Delivery::run() {
  while (const std::optional<Batch> batch = queue_.take()) {
    if (deadline_passed() || deliver(*batch) == Next::give_up) break;
  }
  finish();
}

// Sends the batch whole and, where the server wants it split, in pieces from left to right, so that what is
// not settled yet is always the end of the batch in flight. `sizes` holds the pieces still to send, the next
// one last.
Delivery::Next Delivery::deliver(const Batch& batch) {
  std::vector<std::uint64_t> sizes{batch.line_count};
  while (!sizes.empty()) {
    if (deadline_passed()) return Next::give_up;
    const Batch piece = first_lines(queue_.in_flight(), sizes.back());
    const SendResult result = send(piece);
    switch (result.verdict) {
      case Verdict::delivered:
        delivered(piece, result);
        sizes.pop_back();
        break;
      case Verdict::split:
        backoff_.reset();
        if (piece.line_count > 1) {
          sizes.back() = piece.line_count / 2;
          sizes.push_back(piece.line_count - piece.line_count / 2);
          break;
        }
        [[fallthrough]];
      case Verdict::reject:
        reject(piece, result);
        sizes.pop_back();
        break;
      case Verdict::retry:
      case Verdict::stop_and_say:
        note_failure(result);
        if (wait_to_retry(result) == Next::give_up) return Next::give_up;
        break;
    }
  }
  return Next::go_on;
}

SendResult Delivery::send(const Batch& piece) {
  SendResult result = sink_.send(piece);
  const MutexLock lock(mutex_);
  status_.cost.requests += result.cost.requests;
  status_.cost.raw_bytes += result.cost.raw_bytes;
  status_.cost.wire_bytes += result.cost.wire_bytes;
  return result;
}

void Delivery::delivered(const Batch& piece, const SendResult& result) {
  note_success();
  const std::uint64_t rejected = std::min(result.rejected_lines, piece.line_count);
  if (rejected > 0) {
    log_rejected(result.rejected_line ? line_at(piece, *result.rejected_line) : std::string_view(), rejected,
                 result);
  }
  queue_.acknowledge(piece, rejected);
}

void Delivery::reject(const Batch& piece, const SendResult& result) {
  note_success();
  log_rejected(line_at(piece, 0), piece.line_count, result);
  queue_.acknowledge(piece, piece.line_count);
}

void Delivery::log_rejected(std::string_view line, std::uint64_t count, const SendResult& result) {
  {
    const MutexLock lock(mutex_);
    status_.last_error = result.error;
  }
  std::string text = fmt::format("lines dropped: {}, because {}", count, with_fix(result.error));
  if (!line.empty()) text += fmt::format("; one of them: {}", printable(line, kLineBytesShown));
  rejections_.warn(result.cause, text);
}

// One warning when delivery begins to fail and one more if it then fails in another way (not reached,
// refused).
void Delivery::note_failure(const SendResult& result) {
  {
    const MutexLock lock(mutex_);
    ++status_.retries;
    status_.last_error = result.error;
    if (!status_.failing_since) {
      status_.failing_since = clock_.wall_now();
      failing_since_boot_ = clock_.boot_now();
      told_.reset();
    }
  }
  if (told_ == result.verdict) return;
  told_ = result.verdict;
  log_warning("delivery fails, lines wait: {}", with_fix(result.error));
}

void Delivery::note_success() {
  backoff_.reset();
  bool recovered = false;
  {
    const MutexLock lock(mutex_);
    status_.last_success = clock_.wall_now();
    recovered = status_.failing_since.has_value();
    status_.failing_since.reset();
  }
  if (!recovered) return;
  const LineCounts counts = queue_.counts();
  const auto outage = std::chrono::round<std::chrono::seconds>(clock_.boot_now() - failing_since_boot_);
  log_info("delivery to {} works again after {}; {} lines have waited", sink_.target(),
           format_duration(outage), counts.waiting + counts.in_flight);
}

Delivery::Next Delivery::wait_to_retry(const SendResult& result) {
  const MutexLock lock(mutex_);
  if (stop_deadline_) return wait_while_stopping(result, *stop_deadline_);
  const auto wait =
      result.verdict == Verdict::stop_and_say ? options_.refused_wait : backoff_.next(result.retry_after);
  const BootTime until = clock_.boot_now() + wait;
  while (!stop_deadline_ && !retry_now_ && clock_.boot_now() < until) clock_.wait_until(wake_, mutex_, until);
  if (retry_now_) backoff_.reset();
  retry_now_ = false;
  return Next::go_on;
}

void Delivery::retry_now() {
  const MutexLock lock(mutex_);
  retry_now_ = true;
  wake_.notify_all();
}

Delivery::Next Delivery::wait_while_stopping(const SendResult& result, BootTime deadline) {
  // Nobody mends a credential within the seconds that are left.
  if (result.verdict == Verdict::stop_and_say) return Next::give_up;
  const BootTime until = std::min(clock_.boot_now() + kFlushWait, deadline);
  while (clock_.boot_now() < until) clock_.wait_until(wake_, mutex_, until);
  return clock_.boot_now() < deadline ? Next::go_on : Next::give_up;
}

bool Delivery::deadline_passed() const {
  const MutexLock lock(mutex_);
  return stop_deadline_ && clock_.boot_now() >= *stop_deadline_;
}

void Delivery::request_stop(BootTime deadline) {
  {
    const MutexLock lock(mutex_);
    stop_deadline_ = deadline;
    wake_.notify_all();
  }
  queue_.close();
}

void Delivery::stop(std::chrono::nanoseconds grace) {
  const BootTime deadline = clock_.boot_now() + grace;
  request_stop(deadline);
  const MutexLock lock(mutex_);
  while (!run_ended_ && clock_.boot_now() < deadline) clock_.wait_until(finished_, mutex_, deadline);
  if (!run_ended_) sink_.cancel();
}

void Delivery::finish() {
  const std::uint64_t lost = queue_.discard();
  std::optional<Error> error;
  {
    const MutexLock lock(mutex_);
    run_ended_ = true;
    finished_.notify_all();
    error = status_.last_error;
  }
  if (lost == 0) return;
  log_warning("virtmeter ends: {} lines for {} are lost{}", lost, sink_.target(),
              error ? ": " + error->message : ", there was no time left");
}

DeliveryStatus Delivery::status() const {
  const LineCounts counts = queue_.counts();
  const MutexLock lock(mutex_);
  DeliveryStatus status = status_;
  status.lines = counts;
  return status;
}

}  // namespace virtmeter
