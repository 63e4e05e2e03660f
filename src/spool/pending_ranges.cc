#include "spool/pending_ranges.h"

#include <algorithm>

#include "base/check.h"

namespace virtmeter {

void PendingRanges::append(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  CHECK(ranges_.empty() || begin >= ranges_.back().end);
  if (!ranges_.empty() && ranges_.back().end == begin) {
    ranges_.back().end = end;
    return;
  }
  ranges_.push_back({begin, end, 0});
  close_smallest_gaps();
}

PendingRanges::Removed PendingRanges::remove(std::uint64_t begin, std::uint64_t end) {
  Removed removed;
  for (std::size_t i = 0; i < ranges_.size();) {
    PendingRange& range = ranges_[i];
    const std::uint64_t from = std::max(begin, range.begin);
    const std::uint64_t to = std::min(end, range.end);
    if (from >= to) {
      ++i;
      continue;
    }
    const std::uint64_t counted = std::min(to - from, range.counted);
    removed.lines += to - from;
    removed.counted += counted;
    const std::uint64_t counted_left = range.counted - counted;
    const std::uint64_t counted_before = std::min(counted_left, from - range.begin);
    const PendingRange before{range.begin, from, counted_before};
    const PendingRange behind{to, range.end, counted_left - counted_before};
    const bool keeps_before = before.begin < before.end;
    const bool keeps_behind = behind.begin < behind.end;
    if (keeps_before) range = before;
    if (keeps_before && keeps_behind) {
      ranges_.insert(ranges_.begin() + static_cast<std::ptrdiff_t>(i) + 1, behind);
    } else if (keeps_behind) {
      range = behind;
    } else if (!keeps_before) {
      ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    ++i;
  }
  close_smallest_gaps();
  return removed;
}

std::uint64_t PendingRanges::add_counted(std::uint64_t begin, std::uint64_t end) {
  std::vector<PendingRange> merged;
  std::uint64_t added = 0;
  const auto add = [&](PendingRange range) {
    if (range.begin >= range.end) return;
    if (!merged.empty() && merged.back().end == range.begin) {
      merged.back().end = range.end;
      merged.back().counted += range.counted;
    } else {
      merged.push_back(range);
    }
  };
  const auto add_gap = [&](std::uint64_t from, std::uint64_t to) {
    if (from >= to) return;
    add({from, to, to - from});
    added += to - from;
  };
  std::uint64_t at = begin;
  for (const PendingRange& range : ranges_) {
    add_gap(at, std::min(end, range.begin));
    add(range);
    at = std::max(at, range.end);
  }
  add_gap(at, end);
  ranges_.assign(merged.begin(), merged.end());
  close_smallest_gaps();
  return added;
}

void PendingRanges::prepend(const std::vector<PendingRange>& older) {
  if (older.empty()) return;
  CHECK(ranges_.empty() || older.back().end <= ranges_.front().begin);
  ranges_.insert(ranges_.begin(), older.begin(), older.end());
  close_smallest_gaps();
}

std::optional<PendingRange> PendingRanges::first_in(std::uint64_t begin, std::uint64_t end) const {
  const auto found =
      std::upper_bound(ranges_.begin(), ranges_.end(), begin,
                       [](std::uint64_t line, const PendingRange& range) { return line < range.end; });
  if (found == ranges_.end()) return std::nullopt;
  const PendingRange part{std::max(begin, found->begin), std::min(end, found->end), 0};
  if (part.begin >= part.end) return std::nullopt;
  return part;
}

std::uint64_t PendingRanges::lines_in(std::uint64_t begin, std::uint64_t end) const {
  std::uint64_t lines = 0;
  for (const PendingRange& range : ranges_) {
    const std::uint64_t from = std::max(begin, range.begin);
    const std::uint64_t to = std::min(end, range.end);
    if (from < to) lines += to - from;
  }
  return lines;
}

std::uint64_t PendingRanges::counted_at(std::uint64_t begin, std::uint64_t line_count) const {
  for (const PendingRange& range : ranges_) {
    if (begin >= range.begin && begin < range.end) return std::min(line_count, range.counted);
  }
  return 0;
}

std::uint64_t PendingRanges::lines() const {
  std::uint64_t lines = 0;
  for (const PendingRange& range : ranges_) lines += range.lines();
  return lines;
}

std::uint64_t PendingRanges::uncounted() const {
  std::uint64_t lines = 0;
  for (const PendingRange& range : ranges_) lines += range.uncounted();
  return lines;
}

void PendingRanges::close_smallest_gaps() {
  // Of ranges that touch nothing is kept apart; those are the smallest gaps, of no lines.
  for (std::size_t i = 1; i < ranges_.size();) {
    if (ranges_[i - 1].end != ranges_[i].begin) {
      ++i;
      continue;
    }
    ranges_[i - 1].end = ranges_[i].end;
    ranges_[i - 1].counted += ranges_[i].counted;
    ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  while (ranges_.size() > kMax) {
    std::size_t smallest = 1;
    const auto gap = [&](std::size_t i) { return ranges_[i].begin - ranges_[i - 1].end; };
    for (std::size_t i = 2; i < ranges_.size(); ++i) {
      if (gap(i) < gap(smallest)) smallest = i;
    }
    PendingRange& before = ranges_[smallest - 1];
    before.counted += ranges_[smallest].counted + gap(smallest);
    before.end = ranges_[smallest].end;
    ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(smallest));
  }
}

}  // namespace virtmeter
