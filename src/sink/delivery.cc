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

Delivery::Delivery(SpoolReader& reader, Sink& sink, const Clock& clock, DeliveryOptions options)
    : reader_(reader),
      sink_(sink),
      clock_(clock),
      options_(std::move(options)),
      backoff_(options_.backoff),
      budget_(options_.search_requests_max, options_.search_requests_per_sec, clock.boot_now()),
      dead_letters_({options_.dead_letter_folder, std::string(sink.name()), sink.target(),
                     options_.dead_letter_bytes_max},
                    clock),
      losses_(clock),
      last_progress_(clock.boot_now()) {
  const MutexLock lock(mutex_);
  status_.sink = sink_.name();
  status_.target = sink_.target();
}

void Delivery::run() {
  while (const std::optional<Batch> batch = take()) {
    if (deadline_passed() || deliver(*batch) == Next::give_up) break;
  }
  finish();
}

std::optional<Batch> Delivery::take() {
  note_progress(/*waiting=*/true);
  std::optional<Batch> batch = reader_.take();
  note_progress(/*waiting=*/false);
  return batch;
}

Delivery::Next Delivery::deliver(const Batch& batch) {
  Pieces pieces(batch.line_count);
  while (!pieces.empty()) {
    if (deadline_passed()) return Next::give_up;
    const Batch piece = first_lines(reader_.in_flight(), pieces.next());
    const SendResult result = send(piece);
    if (result.verdict == Verdict::retry || result.verdict == Verdict::stop_and_say) {
      note_failure(result);
      if (wait_to_retry(result) == Next::give_up) return Next::give_up;
      continue;
    }
    if (result.replay) replay();
    act(piece, result, pieces);
  }
  return Next::go_on;
}

void Delivery::act(const Batch& piece, const SendResult& result, Pieces& pieces) {
  if (result.verdict == Verdict::delivered) {
    take_for_stored(piece, result);
    pieces.done();
  } else if (piece.line_count == 1) {
    reject(piece, result);
    pieces.done();
  } else if (result.verdict == Verdict::halve) {
    backoff_.reset();
    pieces.halve();
  } else {
    search(piece, result, pieces);
  }
}

void Delivery::search(const Batch& piece, const SendResult& result, Pieces& pieces) {
  note_success();
  if (cut(piece, result, pieces)) return;
  give_up_search(piece, result);
  pieces.done();
}

// Cuts the lines out that the server blames or that were refused before; where there are none, or too many,
// halves. False: that would cost more requests than there are left.
bool Delivery::cut(const Batch& piece, const SendResult& result, Pieces& pieces) {
  std::vector<std::uint64_t> suspects;
  for (const NamedLine& line : result.named) suspects.push_back(line.index);
  if (suspects.empty()) suspects = suspects_.among(piece);
  const BootTime now = clock_.boot_now();
  if (!suspects.empty() && budget_.spend(pieces.pieces_of_isolation(suspects), now)) {
    pieces.isolate(suspects);
    return true;
  }
  if (!budget_.spend(2, now)) return false;
  pieces.halve();
  return true;
}

SendResult Delivery::send(const Batch& piece) {
  note_progress(/*waiting=*/false);
  SendResult result = sink_.send(piece);
  note_progress(/*waiting=*/false);
  const MutexLock lock(mutex_);
  status_.cost.requests += result.cost.requests;
  status_.cost.raw_bytes += result.cost.raw_bytes;
  status_.cost.wire_bytes += result.cost.wire_bytes;
  return result;
}

void Delivery::take_for_stored(const Batch& piece, const SendResult& result) {
  note_success();
  const std::uint64_t lost = std::min(result.lost_lines, piece.line_count);
  if (lost > 0) {
    for (const NamedLine& line : result.named) put_aside(piece, line.index, result, line.words);
    log_lost(result.named.empty() ? std::string_view() : line_at(piece, result.named[0].index), lost, result);
  } else if (piece.line_count == 1) {
    suspects_.remove(line_at(piece, 0));
  }
  acknowledge(piece, result, lost);
}

// One line, which can never be stored.
void Delivery::reject(const Batch& piece, const SendResult& result) {
  note_success();
  const std::string_view line = line_at(piece, 0);
  suspects_.add(line);
  put_aside(piece, 0, result, result.words);
  log_lost(line, 1, result);
  acknowledge(piece, result, 1);
}

// There are more bad lines than may be looked for. What the server has stored of the piece is not lost.
void Delivery::give_up_search(const Batch& piece, const SendResult& result) {
  if (result.verdict == Verdict::partly) {
    const std::uint64_t lost = std::clamp<std::uint64_t>(result.lost_lines, 1, piece.line_count);
    add_letter({result.cause,
                result.status,
                result.words,
                piece.first_line,
                {},
                lost,
                "which lines it were was not looked for: too many were refused before"});
    log_lost({}, lost, result);
    acknowledge(piece, result, lost);
    return;
  }
  for (std::uint64_t i = 0; i < piece.line_count; ++i) {
    put_aside(piece, i, result, result.words,
              "refused together with others; not tried alone: too many were refused before");
  }
  log_lost(line_at(piece, 0), piece.line_count, result);
  acknowledge(piece, result, piece.line_count);
}

void Delivery::acknowledge(const Batch& piece, const SendResult& result, std::uint64_t lost) {
  dead_letters_.flush();
  Settled settled;
  settled.delivered = piece.line_count - lost;
  switch (result.loss) {
    case Loss::rejected:
      settled.rejected = lost;
      break;
    case Loss::expired:
      settled.expired = lost;
      break;
    case Loss::limited:
      settled.refused = lost;
      break;
  }
  reader_.acknowledge(piece, settled);
  const MutexLock lock(mutex_);
  status_.dead_letters = dead_letters_.counts();
}

void Delivery::put_aside(const Batch& piece, std::uint64_t index, const SendResult& result,
                         std::string_view words, std::string_view note) {
  const std::string_view said = !words.empty()          ? words
                                : !result.words.empty() ? result.words
                                                        : result.error.message;
  add_letter({result.cause, result.status, said, piece.first_line + index, line_at(piece, index), 1, note});
}

void Delivery::add_letter(const DeadLetter& letter) {
  dead_letters_.set_target(std::string(sink_.name()), sink_.target());
  dead_letters_.add(letter);
}

void Delivery::log_lost(std::string_view line, std::uint64_t count, const SendResult& result) {
  {
    const MutexLock lock(mutex_);
    status_.last_error = result.error;
  }
  std::string text = fmt::format("lines dropped: {}, because {}", count, with_fix(result.error));
  if (!line.empty()) text += fmt::format("; one of them: {}", printable(line, kLineBytesShown));
  losses_.warn(result.cause, text);
}

// Before the piece at hand is acknowledged, which the new process took.
void Delivery::replay() {
  const std::uint64_t lines = reader_.replay(options_.replay_window);
  {
    const MutexLock lock(mutex_);
    ++status_.replays;
  }
  log_info("{} was restarted: the {} lines that it took last are sent again", sink_.target(), lines);
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
  const ReaderCounts counts = reader_.counts();
  const auto outage = std::chrono::round<std::chrono::seconds>(clock_.boot_now() - failing_since_boot_);
  log_info("delivery to {} works again after {}; {} lines have waited", sink_.target(),
           format_duration(outage), counts.waiting + counts.in_flight);
  reader_.fall_behind();
}

Delivery::Next Delivery::wait_to_retry(const SendResult& result) {
  const MutexLock lock(mutex_);
  if (stop_deadline_) return wait_while_stopping(result, *stop_deadline_);
  const auto wait =
      result.verdict == Verdict::stop_and_say ? options_.refused_wait : backoff_.next(result.retry_after);
  const BootTime until = clock_.boot_now() + wait;
  status_.next_try = WallTime{clock_.wall_now().unix_ns + wait.count()};
  waiting_ = true;
  while (!stop_deadline_ && !retry_now_ && clock_.boot_now() < until) clock_.wait_until(wake_, mutex_, until);
  waiting_ = false;
  status_.next_try.reset();
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

void Delivery::note_progress(bool waiting) {
  const MutexLock lock(mutex_);
  waiting_ = waiting;
  last_progress_ = clock_.boot_now();
}

BootTime Delivery::last_progress() const {
  const MutexLock lock(mutex_);
  return waiting_ || run_ended_ ? clock_.boot_now() : last_progress_;
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
  reader_.close();
}

void Delivery::stop(std::chrono::nanoseconds grace) {
  const BootTime deadline = clock_.boot_now() + grace;
  request_stop(deadline);
  const MutexLock lock(mutex_);
  while (!run_ended_ && clock_.boot_now() < deadline) clock_.wait_until(finished_, mutex_, deadline);
  if (!run_ended_) sink_.cancel();
}

void Delivery::finish() {
  reader_.put_back();
  const std::uint64_t left = reader_.counts().waiting;
  std::optional<Error> error;
  {
    const MutexLock lock(mutex_);
    run_ended_ = true;
    finished_.notify_all();
    error = status_.last_error;
  }
  if (left == 0) return;
  log_warning("virtmeter ends: {} lines for {} are not delivered{}", left, sink_.target(),
              error ? ": " + error->message : ", there was no time left");
}

DeliveryStatus Delivery::status() const {
  const ReaderCounts counts = reader_.counts();
  const MutexLock lock(mutex_);
  DeliveryStatus status = status_;
  status.lines = counts;
  return status;
}

std::uint64_t Delivery::retries() const {
  const MutexLock lock(mutex_);
  return status_.retries;
}

}  // namespace virtmeter
