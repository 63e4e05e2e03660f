// Batch: complete lines on their way to a sink, as a view. Its lines carry consecutive numbers, so that the
// same batch is recognized when it is sent again, and a part of it as such. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace virtmeter {

struct Batch {
  std::string_view bytes;  // Each line ends in '\n'.
  std::uint64_t line_count = 0;
  std::uint64_t first_line = 0;  // Number of its first line, counted since the queue began.

  std::uint64_t end_line() const { return first_line + line_count; }
  bool same_lines_as(const Batch& other) const {
    return first_line == other.first_line && line_count == other.line_count;
  }
};

// Where the first `line_count` lines of `bytes` end.
std::size_t end_of_lines(std::string_view bytes, std::uint64_t line_count);

// Appends the first lines of `bytes` to `out`: at most `line_count` of them, and no more than fit into
// `bytes_max`. Returns how many those are.
std::uint64_t copy_lines(std::string_view bytes, std::uint64_t line_count, std::size_t bytes_max,
                         std::string& out);

// The first `line_count` lines of `batch`; all of them when it has no more.
Batch first_lines(const Batch& batch, std::uint64_t line_count);

// Line `index` (from 0) without its '\n'; empty when there is none.
std::string_view line_at(const Batch& batch, std::uint64_t index);

}  // namespace virtmeter
