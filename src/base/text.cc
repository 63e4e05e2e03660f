#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

namespace virtmeter {
namespace {

struct DurationUnit {
  std::string_view name;
  double seconds;
};

constexpr std::array kDurationUnits = std::to_array<DurationUnit>({{"", 1.0},
                                                                   {"s", 1.0},
                                                                   {"ms", 1e-3},
                                                                   {"us", 1e-6},
                                                                   {"m", 60.0},
                                                                   {"min", 60.0},
                                                                   {"h", 3600.0},
                                                                   {"d", 86400.0}});

constexpr double kDurationSecondsMax = 10.0 * 366 * 86400;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The length a lead byte announces and the smallest code point that may have it; length 0: not a lead byte.
struct Utf8Lead {
  std::size_t length;
  std::uint32_t code_point_min;
  std::uint32_t bits;
};

Utf8Lead classify(unsigned char lead) {
  if (lead < 0x80) return {1, 0, lead};
  if (lead >= 0xC2 && lead < 0xE0) return {2, 0x80, lead & 0x1Fu};
  if (lead >= 0xE0 && lead < 0xF0) return {3, 0x800, lead & 0x0Fu};
  if (lead >= 0xF0 && lead < 0xF5) return {4, 0x10000, lead & 0x07u};
  return {0, 0, 0};
}

}  // namespace

std::size_t utf8_sequence_length(std::string_view text) {
  const Utf8Lead lead = classify(static_cast<unsigned char>(text.front()));
  if (lead.length == 0 || lead.length > text.size()) return 0;
  std::uint32_t code_point = lead.bits;
  for (std::size_t i = 1; i < lead.length; ++i) {
    if (!is_continuation(text[i])) return 0;
    code_point = (code_point << 6) | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  }
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < lead.code_point_min || surrogate || code_point > 0x10FFFF) return 0;
  return lead.length;
}

std::string printable(std::string_view text, std::size_t limit_bytes) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= limit_bytes) return out + "...";
    const std::size_t length = utf8_sequence_length(text);
    const auto lead = static_cast<unsigned char>(text.front());
    // C1 controls (U+0080 to U+009F) steer some terminals just as C0 does.
    const bool c1 = length == 2 && lead == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    if (length == 0 || lead < 0x20 || lead == 0x7F || c1) {
      out += '?';
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  const std::size_t allowed = std::max<std::size_t>(2, word.size() / 3);
  std::size_t best_distance = allowed + 1;
  std::string_view best;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  text = trimmed(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const std::string_view unit_name = trimmed(text);
  const auto unit = std::find_if(kDurationUnits.begin(), kDurationUnits.end(),
                                 [&](const DurationUnit& u) { return u.name == unit_name; });
  if (unit == kDurationUnits.end()) return std::nullopt;
  const double seconds = number * unit->seconds;
  if (!(seconds >= 0.0 && seconds <= kDurationSecondsMax)) return std::nullopt;
  return std::chrono::nanoseconds(std::llround(seconds * 1e9));
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const auto shortest = [](double value, std::string_view unit) {
    std::array<char, 32> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    std::string out(buffer.data(), error == std::errc{} ? end : buffer.data());
    return out.append(unit);
  };
  const double seconds = static_cast<double>(duration.count()) / 1e9;
  if (duration.count() != 0 && seconds < 1.0) return shortest(seconds * 1e3, "ms");
  return shortest(seconds, "s");
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace virtmeter
