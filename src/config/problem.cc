#include "config/problem.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/text.h"
#include "config/options.h"
#include "config/text_rules.h"

namespace virtmeter {
namespace {

constexpr std::string_view kHidden = "(hidden)";
constexpr std::size_t kExcerptBytesMax = 160;
constexpr std::size_t kQuotedBytesMax = 80;
constexpr std::size_t kPathBytesMax = 400;

// Words that make a line worth hiding even when its key is misspelled or not ours.
constexpr std::array<std::string_view, 6> kSecretWords = {"token",      "passw",  "secret",
                                                          "credential", "apikey", "api_key"};

std::string_view bare_key(std::string_view line) {
  const std::string_view key = trimmed(line.substr(0, line.find('=')));
  return key.size() >= 2 && (key.front() == '"' || key.front() == '\'') ? key.substr(1, key.size() - 2) : key;
}

bool looks_secret(std::string_view line) {
  if (trimmed(line).starts_with('[')) return false;
  const std::string_view key = bare_key(line);
  const Option* option = find_option(key);
  if (option != nullptr) return type_of(*option) == OptionType::secret;
  const std::string text = lowered_ascii(line);
  const bool has_word = std::any_of(kSecretWords.begin(), kSecretWords.end(), [&](std::string_view word) {
    return text.find(word) != std::string::npos;
  });
  if (has_word) return true;
  const Option* meant = find_option(suggest_key(key));
  return meant != nullptr && type_of(*meant) == OptionType::secret;
}

// Hides user and password of an address: what stands before the last '@' (a password may hold any sign) and
// behind "://" or else behind `from`, when it holds a ':'. And its query, which with InfluxDB 1.x may hold
// them, too.
std::string without_password(std::string line, std::size_t from = 0) {
  const std::size_t scheme = line.find("://", from);
  std::size_t start = scheme == std::string::npos ? line.find_first_not_of(" \"'", from) : scheme + 3;
  if (start == std::string::npos) return line;
  const std::size_t sign = line.rfind('@');
  const bool has_sign = sign != std::string::npos && sign >= start;
  if (has_sign && line.find(':', start) < sign) {
    // Where a '?' stands before the '@', it cannot be told to which of them the rest belongs.
    const bool unclear = line.find('?', start) < sign;
    line.replace(start, (unclear ? line.find_last_not_of("\"'") + 1 : sign) - start, kHidden);
    start += kHidden.size();
  }
  const std::size_t query = line.find('?', start);
  if (query == std::string::npos || line.find('=', query) == std::string::npos) return line;
  const std::size_t end = std::min(line.find_first_of("\"' ", query), line.size());
  return line.replace(query + 1, end - query - 1, kHidden);
}

std::string_view line_of(std::string_view text, std::uint32_t line) {
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string_view found = text.substr(0, text.find('\n'));
  if (!found.empty() && found.back() == '\r') found.remove_suffix(1);
  return found;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// The excerpt and the carets below it, as in "  14 |   intervall = 5" and "     |   ^^^^^^^^^".
std::string excerpt_block(const SettingPlace& place) {
  if (place.excerpt.empty()) return "";
  const std::string number = std::to_string(place.line);
  const std::string margin = "    ";
  // A syntax error may point behind the end of the line, and a hidden value is shorter than it was.
  const std::size_t start =
      std::min<std::size_t>(place.column == 0 ? 0 : place.column - 1, characters(place.excerpt));
  const std::size_t room = std::max<std::size_t>(1, characters(place.excerpt) - start);
  const std::size_t carets = std::clamp<std::size_t>(place.width, 1, room);
  return margin + number + " | " + place.excerpt + "\n" + margin + std::string(number.size(), ' ') + " | " +
         std::string(start, ' ') + std::string(carets, '^') + "\n";
}

}  // namespace

std::string place_text(const SettingPlace& place) {
  switch (place.layer) {
    case SettingLayer::built_in:
      return "default";
    case SettingLayer::file:
      break;
    case SettingLayer::environment:
      return "environment " + place.name;
    case SettingLayer::command_line:
      return printable(place.name) + (place.key.empty() ? "" : " " + printable(place.key, kQuotedBytesMax));
  }
  std::string text = printable(place.name, kPathBytesMax);
  if (place.line != 0) text += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  return text;
}

std::string origin_text(const SettingPlace& place) {
  if (!place.via.empty()) return printable(place.via, kPathBytesMax);
  if (place.layer == SettingLayer::command_line) return printable(place.name);
  if (place.layer != SettingLayer::file) return place_text(place);
  return printable(place.name, kPathBytesMax) + ":" + std::to_string(place.line);
}

void sort_by_place(std::vector<SettingProblem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const SettingProblem& a, const SettingProblem& b) {
    const auto order = [](const SettingPlace& p) {
      return std::tie(p.layer, p.file_index, p.line, p.column);
    };
    return order(a.place) < order(b.place);
  });
}

std::string problems_for_terminal(std::span<const SettingProblem> problems) {
  std::string out;
  for (const SettingProblem& problem : problems) {
    out += place_text(problem.place) + ": " + problem.what + "\n" + excerpt_block(problem.place);
    if (!problem.fix.empty()) out += "    " + problem.fix + "\n";
  }
  return out;
}

std::vector<std::string> problems_for_log(std::span<const SettingProblem> problems) {
  std::vector<std::string> lines;
  for (const SettingProblem& problem : problems) {
    lines.push_back(place_text(problem.place) + ": " + problem.what);
    if (!problem.fix.empty()) lines.back() += "; " + problem.fix;
  }
  return lines;
}

std::string excerpt_of(std::string_view text, std::uint32_t line) {
  std::string shown(line_of(text, line));
  std::replace(shown.begin(), shown.end(), '\t', ' ');
  const std::size_t equals = shown.find('=');
  const std::size_t value = equals == std::string::npos ? 0 : equals + 1;
  shown = looks_secret(shown) ? shown.substr(0, value) + (value == 0 ? "" : " ") + std::string(kHidden)
                              : without_password(std::move(shown), value);
  return printable(shown, kExcerptBytesMax);
}

bool hides_a_secret(std::string_view excerpt) { return excerpt.find(kHidden) != std::string_view::npos; }

std::string shown_in_quotes(std::string_view text) {
  return '"' + printable(without_password(std::string(text)), kQuotedBytesMax) + '"';
}

}  // namespace virtmeter
