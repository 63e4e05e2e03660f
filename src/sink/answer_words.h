// What the text of an answer says of single lines: how many are lost, and which. InfluxDB 1.x and 2.x give a
// number that is not always right, InfluxDB 3 a list of line numbers. The text is input from outside: bounded
// and made harmless. Pure. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sink/sink.h"

namespace virtmeter {

struct SaidOfLines {
  std::string words;             // The answer's own words, without the JSON around them.
  std::uint64_t lost_lines = 0;  // 0: no number is given.
  std::vector<NamedLine> named;  // In order, each line once.
  bool names_all = false;        // Whoever is told of is in `named`.
};

// `line_count` lines were sent; no other line is ever named.
SaidOfLines read_words(std::string_view body, std::string_view error_header, std::uint64_t line_count);

// `text` fit for a log: without any of `secrets`, printable, at most `limit_bytes` and "...".
std::string harmless(std::string text, std::span<const std::string> secrets, std::size_t limit_bytes);

}  // namespace virtmeter
