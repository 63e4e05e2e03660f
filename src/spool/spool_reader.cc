#include "spool/spool_reader.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/log.h"
#include "spool/backlog_reader.h"
#include "spool/spool_core.h"

namespace virtmeter {
namespace {

// A part of the disk that cannot be read is asked this often before its lines are given up.
constexpr int kReadTries = 5;
constexpr std::chrono::seconds kReadAgain{1};
// A segment that cannot even be opened may be mended (its mode, the number of open files), and holds nothing
// up meanwhile.
constexpr std::chrono::minutes kOpenAgain{1};

}  // namespace

// take() and what it remembers between its steps. The consumer thread only.
class SpoolReader::Taker {
 public:
  Taker(SpoolCore& core, std::size_t index)
      : core_(core), index_(index), disk_(core.files, core.options.folder), log_(core.clock) {}

  std::optional<Batch> take() EXCLUDES(core_.mutex);

 private:
  enum class Step : std::uint8_t { wait, from_memory, from_disk, nothing };
  struct Next {
    Step step = Step::wait;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::optional<BootTime> until;  // Of a wait; absent: until something comes.
  };

  ReaderState& state() REQUIRES(core_.mutex) { return *core_.readers[index_]; }
  Next wait_for_step() REQUIRES(core_.mutex);
  Next next_step() REQUIRES(core_.mutex);
  std::optional<Next> live_step(std::optional<BootTime>& until) REQUIRES(core_.mutex);
  std::optional<Next> backlog_step(std::optional<BootTime>& until) REQUIRES(core_.mutex);
  BootTime live_due(const PendingRange& live) const REQUIRES(core_.mutex);
  std::optional<BootTime> passed_over_until(const std::string& segment, BootTime now);
  void plan_disk_read(const Segment& segment, const PendingRange& old) REQUIRES(core_.mutex);
  void drop_missing(const PendingRange& old) REQUIRES(core_.mutex);
  Batch fly_from_memory(std::uint64_t begin, std::uint64_t end) REQUIRES(core_.mutex);
  std::optional<Batch> fly_from_disk() EXCLUDES(core_.mutex);
  void drop_unreadable(std::uint64_t lost_end) REQUIRES(core_.mutex);
  void note_read_error(const Error& error) REQUIRES(core_.mutex);

  SpoolCore& core_;
  const std::size_t index_;
  BacklogReader disk_;
  LimitedLog log_;
  BacklogReader::Want want_;
  std::string lines_;
  int failed_tries_ = 0;
  std::optional<BootTime> not_before_;           // After a failed try.
  std::map<std::string, BootTime> passed_over_;  // Segments by name, and until when.
};

std::optional<Batch> SpoolReader::Taker::take() {
  while (true) {
    {
      const MutexLock lock(core_.mutex);
      CHECK(!state().flying());
      const Next next = wait_for_step();
      if (next.step == Step::nothing) return std::nullopt;
      if (next.step == Step::from_memory) return fly_from_memory(next.begin, next.end);
    }
    if (const std::optional<Batch> batch = fly_from_disk()) return batch;
  }
}

SpoolReader::Taker::Next SpoolReader::Taker::wait_for_step() {
  while (true) {
    Next next = next_step();
    if (next.step != Step::wait) return next;
    if (next.until) {
      core_.clock.wait_until(core_.reader_wakes, core_.mutex, *next.until);
    } else {
      core_.reader_wakes.wait(core_.mutex);
    }
  }
}

SpoolReader::Taker::Next SpoolReader::Taker::next_step() {
  Next next;
  if (core_.ended) {
    next.step = Step::nothing;
    return next;
  }
  // What left memory is backlog.
  state().leave_live(core_.ring.begin_line());
  if (const auto live = live_step(next.until)) return *live;
  if (const auto backlog = backlog_step(next.until)) return *backlog;
  if (core_.closed[index_]) next.step = Step::nothing;
  return next;
}

std::optional<SpoolReader::Taker::Next> SpoolReader::Taker::live_step(std::optional<BootTime>& until) {
  const auto live = state().pending().first_in(state().live_begin(), core_.ring.end_line());
  if (!live) return std::nullopt;
  const BootTime due = live_due(*live);
  if (core_.closed[index_] || core_.clock.boot_now() >= due) {
    return Next{Step::from_memory, live->begin, live->end, {}};
  }
  until = due;
  return std::nullopt;
}

std::optional<SpoolReader::Taker::Next> SpoolReader::Taker::backlog_step(std::optional<BootTime>& until) {
  const BootTime now = core_.clock.boot_now();
  const bool closed = core_.closed[index_];
  const auto wait_for = [&](BootTime due) { until = until ? std::min(*until, due) : due; };
  std::uint64_t from = 0;
  while (const auto old = state().pending().first_in(from, state().live_begin())) {
    state().bucket().refill(core_.drain_lines_per_sec(), now);
    if (!closed && !state().bucket().ready()) {
      wait_for(state().bucket().ready_at());
      return std::nullopt;
    }
    if (old->begin >= core_.ring.begin_line()) return Next{Step::from_memory, old->begin, old->end, {}};
    const Segment* segment = core_.segment_of(old->begin);
    if (segment == nullptr) {
      drop_missing(*old);
      continue;
    }
    if (const auto again = passed_over_until(segment->name, now)) {
      from = segment->end;
      if (!closed) wait_for(*again);
      continue;
    }
    if (not_before_ && now < *not_before_) {
      if (!closed) wait_for(*not_before_);
      return std::nullopt;
    }
    plan_disk_read(*segment, *old);
    return Next{Step::from_disk, old->begin, old->end, {}};
  }
  return std::nullopt;
}

BootTime SpoolReader::Taker::live_due(const PendingRange& live) const {
  auto record = std::as_const(core_.ring).find(live.begin);
  CHECK(record != core_.ring.records().end());
  const BootTime due = record->arrived + core_.options.batch_wait;
  std::uint64_t lines = record->end - live.begin;
  std::size_t bytes = 0;
  for (; record != core_.ring.records().end() && record->begin < live.end; ++record) {
    bytes += record->bytes().size();
    lines = record->end - live.begin;
    if (lines >= core_.options.batch_lines || bytes >= SpoolOptions::kBatchBytesMax) return record->arrived;
  }
  return due;
}

std::optional<BootTime> SpoolReader::Taker::passed_over_until(const std::string& segment, BootTime now) {
  std::erase_if(passed_over_, [&](const auto& known) { return known.second <= now; });
  const auto known = passed_over_.find(segment);
  return known == passed_over_.end() ? std::nullopt : std::optional(known->second);
}

void SpoolReader::Taker::plan_disk_read(const Segment& segment, const PendingRange& old) {
  want_ = {segment, old.begin, std::min(old.end, segment.end), core_.options.batch_lines,
           SpoolOptions::kBatchBytesMax};
}

// In no segment, and no longer in memory.
void SpoolReader::Taker::drop_missing(const PendingRange& old) {
  std::uint64_t gap_end = std::min(old.end, core_.ring.begin_line());
  for (const Segment& later : core_.segments) {
    if (later.begin > old.begin) gap_end = std::min(gap_end, later.begin);
  }
  state().drop(old.begin, gap_end, DropReason::missing);
}

Batch SpoolReader::Taker::fly_from_memory(std::uint64_t begin, std::uint64_t end) {
  state().buffer().clear();
  const std::uint64_t flight_end = core_.ring.copy(
      begin, end, {core_.options.batch_lines, SpoolOptions::kBatchBytesMax}, state().buffer());
  if (begin < state().live_begin()) state().bucket().spend(flight_end - begin);
  return state().start_flight(begin, flight_end);
}

std::optional<Batch> SpoolReader::Taker::fly_from_disk() {
  const auto got = disk_.read(want_, lines_);
  const MutexLock lock(core_.mutex);
  if (!got) {
    note_read_error(got.error());
    return std::nullopt;
  }
  failed_tries_ = 0;
  not_before_.reset();
  if (got.value().end == want_.begin) {
    drop_unreadable(got.value().lost_end);
    return std::nullopt;
  }
  // Eviction may have taken lines from the front meanwhile; never from the middle.
  const auto still = state().pending().first_in(want_.begin, got.value().end);
  if (!still) return std::nullopt;
  std::string& buffer = state().buffer();
  buffer.swap(lines_);
  buffer.erase(0, end_of_lines(buffer, still->begin - want_.begin));
  buffer.resize(end_of_lines(buffer, still->lines()));
  state().bucket().spend(still->lines());
  return state().start_flight(still->begin, still->end);
}

void SpoolReader::Taker::drop_unreadable(std::uint64_t lost_end) {
  // The writer may have given up the segment meanwhile and written its end again elsewhere.
  const Segment* segment = core_.segment_of(want_.begin);
  if (segment == nullptr || segment->name != want_.segment.name) return;
  lost_end = std::min(lost_end, segment->end);
  const std::uint64_t lost = state().pending().lines_in(want_.begin, lost_end);
  state().drop(want_.begin, lost_end, DropReason::corrupt);
  if (lost == 0) return;
  log_.warn("corrupt", fmt::format("spool {}/{}: {} lines from number {} on are damaged and lost for {}",
                                   core_.options.folder, segment->name, lost, want_.begin, state().name()));
}

void SpoolReader::Taker::note_read_error(const Error& error) {
  core_.status.last_error = error;
  ++core_.status.disk_errors;
  not_before_ = core_.clock.boot_now() + kReadAgain;
  if (++failed_tries_ < kReadTries) return;
  failed_tries_ = 0;
  if (!disk_.is_open()) {
    passed_over_[want_.segment.name] = core_.clock.boot_now() + kOpenAgain;
    not_before_.reset();
    log_.warn("unopened", "spool: " + error.message + "; its lines wait, those behind it go first");
    return;
  }
  log_.warn("unreadable", "spool: " + error.message + "; what cannot be read is skipped");
  disk_.skip_unreadable();
}

SpoolReader::SpoolReader(SpoolCore& core, std::size_t index)
    : core_(core), index_(index), taker_(std::make_unique<Taker>(core, index)) {}

SpoolReader::~SpoolReader() = default;

std::string SpoolReader::name() const {
  const MutexLock lock(core_.mutex);
  return core_.readers[index_]->name();
}

std::optional<Batch> SpoolReader::take() { return taker_->take(); }

Batch SpoolReader::in_flight() const {
  const MutexLock lock(core_.mutex);
  return core_.readers[index_]->in_flight();
}

void SpoolReader::acknowledge(const Batch& piece, const Settled& settled) {
  const MutexLock lock(core_.mutex);
  ReaderState& state = *core_.readers[index_];
  CHECK(piece.first_line == state.in_flight().first_line);
  state.acknowledge(piece.line_count, settled, core_.clock.boot_now());
  core_.trim();
}

void SpoolReader::put_back() {
  const MutexLock lock(core_.mutex);
  core_.readers[index_]->put_back();
  core_.trim();
  core_.reader_wakes.notify_all();
}

void SpoolReader::fall_behind() {
  const MutexLock lock(core_.mutex);
  if (!core_.ring.empty()) core_.readers[index_]->leave_live(core_.ring.back().begin);
  core_.trim();
}

std::uint64_t SpoolReader::replay(std::chrono::nanoseconds within) {
  const MutexLock lock(core_.mutex);
  const std::uint64_t lines = core_.readers[index_]->replay(within);
  for (MemoryRecord& record : core_.ring.records()) {
    if (core_.wanted(record.begin, record.end)) record.done_since.reset();
  }
  core_.reader_wakes.notify_all();
  return lines;
}

void SpoolReader::close() {
  const MutexLock lock(core_.mutex);
  core_.closed[index_] = true;
  core_.reader_wakes.notify_all();
}

ReaderCounts SpoolReader::counts() const {
  const MutexLock lock(core_.mutex);
  const ReaderState& state = *core_.readers[index_];
  ReaderCounts counts = state.counts();
  std::uint64_t in_memory_from = core_.ring.end_line();
  for (const MemoryRecord& record : core_.ring.records()) {
    const std::uint64_t lines = state.pending().lines_in(record.begin, record.end);
    if (lines > 0) counts.waiting_bytes += record.bytes().size() * lines / record.lines();
    in_memory_from = std::min(in_memory_from, record.begin);
  }
  for (const Segment& segment : core_.segments) {
    const std::uint64_t lines =
        state.pending().lines_in(segment.begin, std::min(segment.end, in_memory_from));
    if (lines > 0) counts.waiting_bytes += segment.bytes * lines / segment.lines();
  }
  const auto oldest = state.pending().first_in(0, core_.ring.end_line());
  if (!oldest) return counts;
  if (const auto record = std::as_const(core_.ring).find(oldest->begin);
      record != core_.ring.records().end()) {
    counts.oldest_waiting = record->time;
  } else if (const Segment* segment = core_.segment_of(oldest->begin)) {
    counts.oldest_waiting = segment->time_min;
  }
  return counts;
}

}  // namespace virtmeter
