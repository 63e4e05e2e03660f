// Text helpers that C++ lacks: UTF-8 repair, printable excerpts of hostile text, the nearest of several
// words, numbers and durations from strings. Pure functions. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace virtmeter {

// The number of bytes of the valid UTF-8 sequence at the start of `text`, 0 when there is none (RFC 3629: no
// surrogates, no overlong forms, nothing above U+10FFFF). `text` must not be empty.
std::size_t utf8_sequence_length(std::string_view text);

// `text` with control characters and invalid UTF-8 replaced by '?', cut to `limit_bytes` with "..." behind:
// safe for a log line or a terminal.
std::string printable(std::string_view text, std::size_t limit_bytes = 200);

// Damerau-Levenshtein distance (optimal string alignment), in edits.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `word`: at most 2 edits away, or a third of its length; empty when none is.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// "5", "5s", "1.5 s", "250ms", "10m", "2h", "7d" as a duration; a bare number is seconds. Empty when `text`
// is none of these, negative, or over 10 years.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

// The shortest spelling: "250ms", "5s", "1.5s", "300s".
std::string format_duration(std::chrono::nanoseconds duration);

std::string_view trimmed(std::string_view text);

}  // namespace virtmeter
