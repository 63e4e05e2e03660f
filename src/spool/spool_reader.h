// SpoolReader: one sink's way through the spool. take() hands out live lines first and backlog, oldest first,
// at a limited rate; what is taken stays in flight until all its lines are acknowledged or put back. Its
// position and its counts are one state, saved together. Thread-safe; one consumer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "spool/batch.h"
#include "spool/spool_counts.h"

namespace virtmeter {

struct SpoolCore;

class SpoolReader {
 public:
  SpoolReader(SpoolCore& core, std::size_t index);
  ~SpoolReader();
  SpoolReader(const SpoolReader&) = delete;
  SpoolReader& operator=(const SpoolReader&) = delete;

  std::string name() const;

  // Waits for a due batch (batch_lines reached, or batch_wait since its first line came) or for backlog that
  // the drain rate permits, and puts it in flight. After close() it gives what is left without waiting, then
  // nothing. Reads the disk for backlog. The view is valid until its lines are acknowledged or put back.
  std::optional<Batch> take();

  // What of the batch in flight is not acknowledged yet.
  Batch in_flight() const;

  // The first lines of the batch in flight are done with: `settled` says how, line for line.
  void acknowledge(const Batch& piece, const Settled& settled);

  // What is left in flight waits again, in its old place.
  void put_back();

  // After an outage: what waits, but for the newest record, becomes backlog, so that live lines go first.
  void fall_behind();

  // Hands out again, as backlog, what was acknowledged within `within` (at most replay_hold) before the last
  // acknowledgement, however long ago that was: a database lost the last seconds before it went. Returns how
  // many lines that are.
  std::uint64_t replay(std::chrono::nanoseconds within);

  // No more waiting: take() gives what is left, then nothing.
  void close();

  ReaderCounts counts() const;

 private:
  class Taker;

  SpoolCore& core_;
  const std::size_t index_;
  const std::unique_ptr<Taker> taker_;  // The consumer thread's part.
};

}  // namespace virtmeter
