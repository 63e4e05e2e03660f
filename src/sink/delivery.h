// Delivery: the loop that takes batches from the spool, sends them to one sink and acts on what became of
// them: acknowledges, waits and sends again, looks for bad lines in parts of the batch and puts those aside.
// It loses nothing but what it counts. run() belongs to a thread that the daemon starts; the rest is
// thread-safe.
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
#include "sink/dead_letters.h"
#include "sink/pieces.h"
#include "sink/search_budget.h"
#include "sink/sink.h"
#include "sink/suspects.h"
#include "spool/spool_reader.h"

namespace virtmeter {

struct DeliveryOptions {
  BackoffOptions backoff;
  // The wait after stop_and_say: somebody has to act first.
  std::chrono::nanoseconds refused_wait = std::chrono::seconds(60);
  // What the search for bad lines may cost. Where more would be needed, the piece is given up as it is.
  std::uint64_t search_requests_max = 200;
  std::uint64_t search_requests_per_sec = 1;
  // What a database that was killed may have lost of what it had acknowledged. VictoriaMetrics 1.79.5 lost up
  // to 9 s.
  std::chrono::nanoseconds replay_window = std::chrono::seconds(15);
  // Folder for the lines that are refused; empty: they are counted only.
  std::string dead_letter_folder;
  std::uint64_t dead_letter_bytes_max = 64u << 20;
};

struct DeliveryStatus {
  std::string sink;
  std::string target;
  ReaderCounts lines;
  SendCost cost;
  std::uint64_t retries = 0;
  std::uint64_t replays = 0;              // Restarts of the database that were met by sending again.
  std::optional<WallTime> failing_since;  // Absent: the last send worked, or there was none.
  std::optional<WallTime> last_success;
  std::optional<WallTime> next_try;  // Set while it waits before it tries again.
  std::optional<Error> last_error;   // The latest, even if it has passed.
  DeadLetterCounts dead_letters;
};

class Delivery {
 public:
  static constexpr std::chrono::seconds kStopGrace{3};

  // `reader`, `sink` and `clock` must outlive it; nobody else takes from `reader`.
  Delivery(SpoolReader& reader, Sink& sink, const Clock& clock, DeliveryOptions options = {});

  // Delivers until stop(); returns when nothing is left or the deadline of stop() has passed. What is then
  // left goes back to the spool. Once only.
  void run() EXCLUDES(mutex_);

  // Closes the reader and ends all waits; what is left is tried until `deadline`. Returns at once.
  void request_stop(BootTime deadline) EXCLUDES(mutex_);

  // request_stop(), then waits for run() to end, and ends the transfer under way when `grace` is over. From
  // another thread than run()'s, which is joined afterwards.
  void stop(std::chrono::nanoseconds grace = kStopGrace) EXCLUDES(mutex_);

  // Ends the wait for the next try: what made the last one fail may have been mended. Thread-safe.
  void retry_now() EXCLUDES(mutex_);

  DeliveryStatus status() const EXCLUDES(mutex_);
  // Of the status, without its texts.
  std::uint64_t retries() const EXCLUDES(mutex_);

  // When run() was last seen to get on. Waiting, for lines or before the next try, counts; only a call that
  // does not return makes it old.
  BootTime last_progress() const EXCLUDES(mutex_);

 private:
  enum class Next : std::uint8_t { go_on, give_up };

  std::optional<Batch> take() EXCLUDES(mutex_);
  Next deliver(const Batch& batch);
  void act(const Batch& piece, const SendResult& result, Pieces& pieces) EXCLUDES(mutex_);
  void search(const Batch& piece, const SendResult& result, Pieces& pieces) EXCLUDES(mutex_);
  bool cut(const Batch& piece, const SendResult& result, Pieces& pieces);
  Next wait_to_retry(const SendResult& result) EXCLUDES(mutex_);
  Next wait_while_stopping(const SendResult& result, BootTime deadline) REQUIRES(mutex_);
  SendResult send(const Batch& piece) EXCLUDES(mutex_);
  void take_for_stored(const Batch& piece, const SendResult& result) EXCLUDES(mutex_);
  void reject(const Batch& piece, const SendResult& result) EXCLUDES(mutex_);
  void give_up_search(const Batch& piece, const SendResult& result) EXCLUDES(mutex_);
  void acknowledge(const Batch& piece, const SendResult& result, std::uint64_t lost) EXCLUDES(mutex_);
  void put_aside(const Batch& piece, std::uint64_t index, const SendResult& result, std::string_view words,
                 std::string_view note = {});
  void add_letter(const DeadLetter& letter);
  void log_lost(std::string_view line, std::uint64_t count, const SendResult& result) EXCLUDES(mutex_);
  void replay() EXCLUDES(mutex_);
  void note_failure(const SendResult& result) EXCLUDES(mutex_);
  void note_success() EXCLUDES(mutex_);
  void note_progress(bool waiting) EXCLUDES(mutex_);
  bool deadline_passed() const EXCLUDES(mutex_);
  void finish() EXCLUDES(mutex_);

  SpoolReader& reader_;
  Sink& sink_;
  const Clock& clock_;
  const DeliveryOptions options_;

  // run()'s thread only.
  Backoff backoff_;
  SearchBudget budget_;
  Suspects suspects_;
  DeadLetters dead_letters_;
  LimitedLog losses_;
  std::optional<Verdict> told_;  // What the log last told of in this outage.
  BootTime failing_since_boot_;

  mutable Mutex mutex_;
  Condition wake_;      // A stop was requested.
  Condition finished_;  // run() has ended.
  std::optional<BootTime> stop_deadline_ GUARDED_BY(mutex_);
  bool run_ended_ GUARDED_BY(mutex_) = false;
  bool retry_now_ GUARDED_BY(mutex_) = false;
  bool waiting_ GUARDED_BY(mutex_) = false;
  BootTime last_progress_ GUARDED_BY(mutex_);
  DeliveryStatus status_ GUARDED_BY(mutex_);
};

}  // namespace virtmeter
