// PendingRanges: which lines a reader still wants, as a bounded list of ranges. When it would grow over its
// bound, the smallest gap between two ranges, whose lines are done with, becomes pending again: to send a
// line twice is harmless. How many lines of a range were counted before is kept with it, so that none is
// counted twice. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace virtmeter {

struct PendingRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  // How many of its lines are counted as delivered or dropped already, whichever they are.
  std::uint64_t counted = 0;

  std::uint64_t lines() const { return end - begin; }
  std::uint64_t uncounted() const { return lines() - counted; }
  bool operator==(const PendingRange&) const = default;
};

class PendingRanges {
 public:
  static constexpr std::size_t kMax = 64;

  PendingRanges() { ranges_.reserve(kMax + 2); }

  // New lines, behind all that were ever added.
  void append(std::uint64_t begin, std::uint64_t end);

  // Takes the lines of [begin, end) that are pending. A line counted before leaves first.
  struct Removed {
    std::uint64_t lines = 0;
    std::uint64_t counted = 0;
  };
  Removed remove(std::uint64_t begin, std::uint64_t end);

  // Makes those of [begin, end) pending that are not, as counted before. Returns how many that are.
  std::uint64_t add_counted(std::uint64_t begin, std::uint64_t end);

  // Puts the ranges of `older`, which all lie before these, in front.
  void prepend(const std::vector<PendingRange>& older);

  // The first pending lines of [begin, end), as one range.
  std::optional<PendingRange> first_in(std::uint64_t begin, std::uint64_t end) const;
  bool any_in(std::uint64_t begin, std::uint64_t end) const { return first_in(begin, end).has_value(); }
  // How many of [begin, end) are pending.
  std::uint64_t lines_in(std::uint64_t begin, std::uint64_t end) const;
  // How many of the first `line_count` lines from `begin` on, which are pending in one range, remove() would
  // give as counted.
  std::uint64_t counted_at(std::uint64_t begin, std::uint64_t line_count) const;

  std::uint64_t lines() const;
  std::uint64_t uncounted() const;
  bool empty() const { return ranges_.empty(); }
  const std::vector<PendingRange>& ranges() const { return ranges_; }

 private:
  void close_smallest_gaps();

  std::vector<PendingRange> ranges_;  // Disjoint, not adjacent, in order.
};

}  // namespace virtmeter
