#include "spool/reader_state.h"

#include <algorithm>

#include "base/check.h"

namespace virtmeter {
namespace {

constexpr std::size_t kAcknowledgedMax = 256;
// Acknowledged within this time of each other and adjacent: one entry.
constexpr std::chrono::milliseconds kAcknowledgedTogether{500};

// Takes up to `most` lines away from `lines` and returns how many that were.
std::uint64_t take_from(std::uint64_t& lines, std::uint64_t most) {
  const std::uint64_t taken = std::min(lines, most);
  lines -= taken;
  return taken;
}

}  // namespace

ReaderState::ReaderState(std::string name, const SpoolOptions& options)
    : name_(std::move(name)), replay_hold_(options.replay_hold), bucket_(options.batch_lines) {
  acknowledged_.reserve(kAcknowledgedMax + 1);
}

void ReaderState::collect(std::uint64_t begin, std::uint64_t end) {
  pending_.append(begin, end);
  collected_ += end - begin;
  ++generation_;
}

void ReaderState::collect_and_drop(std::uint64_t line_count, DropReason reason) {
  if (line_count == 0) return;
  collected_ += line_count;
  dropped_[reason] += line_count;
  ++generation_;
}

void ReaderState::drop(std::uint64_t begin, std::uint64_t end, DropReason reason) {
  if (begin >= end) return;
  const auto remove = [&](std::uint64_t from, std::uint64_t to) {
    if (from >= to) return;
    const PendingRanges::Removed removed = pending_.remove(from, to);
    dropped_[reason] += removed.lines - removed.counted;
    if (removed.lines > 0) ++generation_;
  };
  if (!flying()) {
    remove(begin, end);
    return;
  }
  remove(begin, std::min(end, flight_begin_));
  remove(std::max(begin, flight_end_), end);
  if (end <= flight_begin_ || begin >= flight_end_) return;
  orphans_end_ = std::max(orphans_end_, std::min(end, flight_end_));
  orphans_reason_ = reason;
}

void ReaderState::adopt(const CursorSlot& slot) {
  pending_.prepend(slot.pending);
  collected_ += slot.collected;
  delivered_ += slot.delivered;
  resent_ += slot.resent;
  for (std::size_t i = 0; i < kDropReasons; ++i) dropped_.lines[i] += slot.dropped.lines[i];
  ++generation_;
}

void ReaderState::leave_live(std::uint64_t line) { live_begin_ = std::max(live_begin_, line); }

Batch ReaderState::start_flight(std::uint64_t begin, std::uint64_t end) {
  CHECK(!flying() && begin < end);
  flight_begin_ = begin;
  flight_end_ = end;
  buffer_begin_ = 0;
  orphans_end_ = 0;
  return in_flight();
}

Batch ReaderState::in_flight() const {
  if (!flying()) return {};
  return {std::string_view(buffer_).substr(buffer_begin_), flight_end_ - flight_begin_, flight_begin_};
}

void ReaderState::acknowledge(std::uint64_t line_count, const Settled& settled, BootTime now) {
  CHECK(flying() && line_count <= flight_end_ - flight_begin_ && settled.total() == line_count);
  const std::uint64_t begin = flight_begin_;
  buffer_begin_ += end_of_lines(std::string_view(buffer_).substr(buffer_begin_), line_count);
  flight_begin_ += line_count;
  const PendingRanges::Removed removed = pending_.remove(begin, flight_begin_);
  CHECK(removed.lines == line_count);
  // Which of the lines were counted before is not known, only how many: each still counts once.
  Settled fresh = settled;
  std::uint64_t again = removed.counted;
  for (std::uint64_t* kind : {&fresh.delivered, &fresh.rejected, &fresh.expired, &fresh.refused})
    again -= take_from(*kind, again);
  delivered_ += fresh.delivered;
  dropped_[DropReason::rejected] += fresh.rejected;
  dropped_[DropReason::expired] += fresh.expired;
  dropped_[DropReason::refused] += fresh.refused;
  resent_ += removed.counted;
  ++generation_;
  remember_acknowledged(begin, flight_begin_, now);
}

void ReaderState::remember_acknowledged(std::uint64_t begin, std::uint64_t end, BootTime now) {
  std::erase_if(acknowledged_, [&](const Acknowledged& old) { return now - old.at > replay_hold_; });
  if (replay_hold_.count() <= 0 || begin >= end) return;
  for (std::size_t back = 0; back < std::min<std::size_t>(acknowledged_.size(), 4); ++back) {
    Acknowledged& last = acknowledged_[acknowledged_.size() - 1 - back];
    if (last.end != begin || now - last.at > kAcknowledgedTogether) continue;
    last.end = end;
    return;
  }
  acknowledged_.push_back({now, begin, end});
  if (acknowledged_.size() <= kAcknowledgedMax) return;
  // Together they may hold lines between them that nobody asked to send again; that is harmless.
  Acknowledged& second = acknowledged_[1];
  second.begin = std::min(second.begin, acknowledged_[0].begin);
  second.end = std::max(second.end, acknowledged_[0].end);
  acknowledged_.erase(acknowledged_.begin());
}

void ReaderState::put_back() {
  if (!flying()) return;
  const std::uint64_t begin = flight_begin_;
  const std::uint64_t orphans_end = orphans_end_;
  flight_begin_ = flight_end_ = 0;
  orphans_end_ = 0;
  drop(begin, orphans_end, orphans_reason_);
}

BootTime ReaderState::last_acknowledged() const {
  return acknowledged_.empty() ? BootTime{} : acknowledged_.back().at;
}

std::uint64_t ReaderState::replay(std::chrono::nanoseconds within) {
  const BootTime last = last_acknowledged();
  std::uint64_t lines = 0;
  for (const Acknowledged& entry : acknowledged_) {
    // An entry may have been joined by lines that came up to kAcknowledgedTogether later.
    if (last - entry.at > std::min(within, replay_hold_) + kAcknowledgedTogether) continue;
    // Of a flight whose first lines were acknowledged, nothing that still flies is added: it is pending.
    lines += pending_.add_counted(entry.begin, entry.end);
    if (entry.begin >= live_begin_) live_begin_ = std::max(live_begin_, entry.end);
  }
  acknowledged_.clear();
  if (lines > 0) ++generation_;
  return lines;
}

std::uint64_t ReaderState::flight_uncounted() const {
  const std::uint64_t lines = flight_end_ - flight_begin_;
  return flying() ? lines - pending_.counted_at(flight_begin_, lines) : 0;
}

ReaderCounts ReaderState::counts() const {
  ReaderCounts counts;
  counts.collected = collected_;
  counts.delivered = delivered_;
  counts.dropped = dropped_;
  counts.resent = resent_;
  counts.in_flight = flight_uncounted();
  counts.waiting = pending_.uncounted() - counts.in_flight;
  counts.backlog = pending_.lines_in(0, live_begin_);
  return counts;
}

CursorSlot ReaderState::slot(std::uint64_t end_line, WallTime now) const {
  CursorSlot slot;
  slot.version = generation_;
  slot.saved_wall_ns = now.unix_ns;
  slot.end_line = end_line;
  slot.collected = collected_;
  slot.delivered = delivered_;
  slot.resent = resent_;
  slot.dropped = dropped_;
  slot.pending = pending_.ranges();
  return slot;
}

}  // namespace virtmeter
