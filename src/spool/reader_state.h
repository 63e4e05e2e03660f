// ReaderState: the position and the counts of one reader, as one state. Lines are pending until they are
// acknowledged or dropped; those below live_begin() are backlog, the others live. Keeps
// collected = delivered + waiting + in flight + dropped. Not thread-safe: SpoolCore's mutex guards it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "spool/batch.h"
#include "spool/drain_rate.h"
#include "spool/format.h"
#include "spool/pending_ranges.h"
#include "spool/spool_counts.h"
#include "spool/spool_options.h"

namespace virtmeter {

class ReaderState {
 public:
  ReaderState(std::string name, const SpoolOptions& options);

  const std::string& name() const { return name_; }

  // --- What comes and what goes without having been handed out.

  void collect(std::uint64_t begin, std::uint64_t end);
  // Lines that got no number.
  void collect_and_drop(std::uint64_t line_count, DropReason reason);
  // Lines that can no longer be had. Those in flight still can be delivered, but not be put back.
  void drop(std::uint64_t begin, std::uint64_t end, DropReason reason);
  // What an earlier process left: all before what this one collected.
  void adopt(const CursorSlot& slot);

  // --- Lanes.

  // Lines below are backlog from now on.
  void leave_live(std::uint64_t line);
  // While none was collected: where numbers go on.
  void start_live(std::uint64_t line) { live_begin_ = line; }
  std::uint64_t live_begin() const { return live_begin_; }
  TokenBucket& bucket() { return bucket_; }
  const PendingRanges& pending() const { return pending_; }

  // --- The batch in flight.

  // Where to write the lines of the next one. Only while none is in flight.
  std::string& buffer() { return buffer_; }
  Batch start_flight(std::uint64_t begin, std::uint64_t end);
  bool flying() const { return flight_begin_ < flight_end_; }
  Batch in_flight() const;
  void acknowledge(std::uint64_t line_count, const Settled& settled, BootTime now);
  void put_back();
  std::uint64_t replay(std::chrono::nanoseconds within);
  // When lines were last acknowledged that a replay can hand out again.
  BootTime last_acknowledged() const;

  // --- Accounts.

  ReaderCounts counts() const;
  // Changes with all that a cursor holds.
  std::uint64_t generation() const { return generation_; }
  CursorSlot slot(std::uint64_t end_line, WallTime now) const;

 private:
  struct Acknowledged {
    BootTime at;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  void remember_acknowledged(std::uint64_t begin, std::uint64_t end, BootTime now);
  std::uint64_t flight_uncounted() const;

  const std::string name_;
  const std::chrono::nanoseconds replay_hold_;
  PendingRanges pending_;  // With what is in flight.
  std::uint64_t live_begin_ = 0;
  TokenBucket bucket_;

  std::string buffer_;
  std::size_t buffer_begin_ = 0;  // Where what is left in flight begins.
  std::uint64_t flight_begin_ = 0;
  std::uint64_t flight_end_ = 0;
  // Lines in flight below this one are nowhere else any more.
  std::uint64_t orphans_end_ = 0;
  DropReason orphans_reason_ = DropReason::memory;

  std::vector<Acknowledged> acknowledged_;  // Within replay_hold; oldest first.
  std::uint64_t collected_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t resent_ = 0;
  DroppedByReason dropped_;
  std::uint64_t generation_ = 1;
};

}  // namespace virtmeter
