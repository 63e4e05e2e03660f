// Delivery: the loop that takes batches from the queue, sends them to one sink and acts on what became of
// them: acknowledges, waits and sends again, splits down to the bad lines and drops those. It loses nothing
// but what it counts. run() belongs to a thread that the daemon starts; the rest is thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/result.h"
#include "sink/backoff.h"
#include "sink/line_queue.h"
#include "sink/sink.h"

namespace virtmeter {

struct DeliveryOptions {
  BackoffOptions backoff;
  // The wait after stop_and_say: somebody has to act first.
  std::chrono::nanoseconds refused_wait = std::chrono::seconds(60);
};

struct DeliveryStatus {
  std::string sink;
  std::string target;
  LineCounts lines;
  SendCost cost;
  std::uint64_t retries = 0;
  std::optional<WallTime> failing_since;  // Absent: the last send worked, or there was none.
  std::optional<WallTime> last_success;
  std::optional<Error> last_error;  // The latest, even if it has passed.
};

class Delivery {
 public:
  static constexpr std::chrono::seconds kStopGrace{3};

  Delivery(LineQueue& queue, Sink& sink, const Clock& clock, DeliveryOptions options = {});

  // Delivers until stop(); returns when the queue is empty or the deadline of stop() has passed. What is then
  // left is dropped and counted as shutdown. Once only.
  void run() EXCLUDES(mutex_);

  // Closes the queue and ends all waits; what is left is tried until `deadline`. Returns at once.
  void request_stop(BootTime deadline) EXCLUDES(mutex_);

  // request_stop(), then waits for run() to end, and ends the transfer under way when `grace` is over. From
  // another thread than run()'s, which is joined afterwards.
  void stop(std::chrono::nanoseconds grace = kStopGrace) EXCLUDES(mutex_);

  // Ends the wait for the next try: what made the last one fail may have been mended. Thread-safe.
  void retry_now() EXCLUDES(mutex_);

  DeliveryStatus status() const EXCLUDES(mutex_);

 private:
  enum class Next : std::uint8_t { go_on, give_up };

  Next deliver(const Batch& batch);
  Next wait_to_retry(const SendResult& result) EXCLUDES(mutex_);
  Next wait_while_stopping(const SendResult& result, BootTime deadline) REQUIRES(mutex_);
  SendResult send(const Batch& piece) EXCLUDES(mutex_);
  void delivered(const Batch& piece, const SendResult& result) EXCLUDES(mutex_);
  void reject(const Batch& piece, const SendResult& result) EXCLUDES(mutex_);
  void log_rejected(std::string_view line, std::uint64_t count, const SendResult& result);
  void note_failure(const SendResult& result) EXCLUDES(mutex_);
  void note_success() EXCLUDES(mutex_);
  bool deadline_passed() const EXCLUDES(mutex_);
  void finish() EXCLUDES(mutex_);

  LineQueue& queue_;
  Sink& sink_;
  const Clock& clock_;
  const DeliveryOptions options_;
  Backoff backoff_;  // run()'s thread only.
  LimitedLog rejections_;
  // The verdict that the log last told of in this outage. run()'s thread only.
  std::optional<Verdict> told_;
  BootTime failing_since_boot_;

  mutable Mutex mutex_;
  Condition wake_;      // A stop was requested.
  Condition finished_;  // run() has ended.
  std::optional<BootTime> stop_deadline_ GUARDED_BY(mutex_);
  bool run_ended_ GUARDED_BY(mutex_) = false;
  bool retry_now_ GUARDED_BY(mutex_) = false;
  DeliveryStatus status_ GUARDED_BY(mutex_);
};

}  // namespace virtmeter
