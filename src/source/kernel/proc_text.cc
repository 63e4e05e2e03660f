#include "source/kernel/proc_text.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace virtmeter {
namespace {

// A number at the start of `text`, which loses it and the space behind it. The space must be there: without
// it the text was cut off, perhaps inside the number.
bool take_number(std::string_view& text, std::uint64_t& into) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  const auto size = static_cast<std::size_t>(stop - text.data());
  if (error != std::errc() || size == text.size()) return false;
  if (text[size] != ' ' && text[size] != '\n') return false;
  text.remove_prefix(size + 1);
  return true;
}

// A field that nobody asks for; some are negative.
bool skip_field(std::string_view& text) {
  const std::size_t space = text.find(' ');
  if (space == 0 || space == std::string_view::npos) return false;
  text.remove_prefix(space + 1);
  return true;
}

// The word behind the first word that is `option`, of words that end with a NUL each.
std::optional<std::string_view> word_behind(std::string_view words, std::string_view option) {
  bool found = false;
  while (true) {
    const std::size_t end = words.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view word = words.substr(0, end);
    if (found) return word;
    found = word == option;
    words.remove_prefix(end + 1);
  }
}

// "<key> <number>\n" of several such lines.
bool find_line(std::string_view lines, std::string_view key, std::uint64_t& into) {
  while (true) {
    const std::size_t end = lines.find('\n');
    if (end == std::string_view::npos) return false;
    const std::string_view line = lines.substr(0, end);
    if (line.starts_with(key) && line.substr(key.size()).starts_with(' ')) {
      const auto number = parse_number(line.substr(key.size()));
      if (!number) return false;
      into = *number;
      return true;
    }
    lines.remove_prefix(end + 1);
  }
}

bool multiply(std::uint64_t& value, std::uint64_t by) { return !__builtin_mul_overflow(value, by, &value); }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // The process's own name stands in parentheses and may hold any. All that follows is numbers.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos || text.size() < name_end + 5) return std::nullopt;
  text.remove_prefix(name_end + 2);
  ProcessStat stat;
  stat.state = text[0];
  text.remove_prefix(2);

  constexpr int kFields = 21;  // ppid, the fourth field, to rss, the 24th.
  std::uint64_t parent = 0;
  const std::array<std::pair<int, std::uint64_t*>, 8> wanted = {{{0, &parent},
                                                                 {6, &stat.minor_faults},
                                                                 {8, &stat.major_faults},
                                                                 {10, &stat.user_ticks},
                                                                 {11, &stat.system_ticks},
                                                                 {16, &stat.threads},
                                                                 {18, &stat.start_ticks},
                                                                 {20, &stat.resident_pages}}};
  auto next = wanted.begin();
  for (int field = 0; field < kFields; ++field) {
    if (field != next->first) {
      if (!skip_field(text)) return std::nullopt;
      continue;
    }
    if (!take_number(text, *next->second)) return std::nullopt;
    ++next;
  }
  if (parent > UINT32_MAX) return std::nullopt;
  stat.parent = static_cast<std::uint32_t>(parent);
  return stat;
}

BootTime start_time(const ProcessStat& stat) {
  static const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  // More seconds than that is no machine's uptime, and would not fit.
  const std::uint64_t seconds = std::min<std::uint64_t>(stat.start_ticks / per_second, INT32_MAX);
  const std::uint64_t ticks = stat.start_ticks % per_second;
  return BootTime{std::chrono::seconds(seconds) +
                  std::chrono::nanoseconds(ticks * 1'000'000'000u / per_second)};
}

BootTime next_turn(BootTime now, std::chrono::seconds period, std::uint32_t pid) {
  // A factor without a common divisor with minutes: neighbours are far apart.
  const std::chrono::seconds place = std::chrono::seconds(pid % 100'000 * 37) % period;
  const std::chrono::nanoseconds since = (now.since_boot - place) % period;
  return now + (period - since);
}

std::optional<ThreadTimes> parse_schedstat(std::string_view text) {
  ThreadTimes times;
  std::uint64_t slices = 0;
  if (!text.ends_with('\n')) return std::nullopt;  // Cut off.
  if (!take_number(text, times.run_ns) || !take_number(text, times.delay_ns) || !take_number(text, slices))
    return std::nullopt;
  if (times.run_ns == 0 && times.delay_ns == 0 && slices == 0) return std::nullopt;
  return times;
}

std::optional<CpuTimes> parse_cpu_stat(std::string_view text) {
  CpuTimes times;
  if (!find_line(text, "usage_usec", times.total_ns) || !find_line(text, "user_usec", times.user_ns) ||
      !find_line(text, "system_usec", times.system_ns))
    return std::nullopt;
  for (std::uint64_t* value : {&times.total_ns, &times.user_ns, &times.system_ns}) {
    if (!multiply(*value, 1000)) return std::nullopt;
  }
  return times;
}

std::optional<CpuTimes> parse_cpuacct(std::string_view usage, std::string_view stat, std::uint64_t tick_ns) {
  CpuTimes times;
  const auto total = usage.ends_with('\n') ? parse_number(usage) : std::nullopt;
  if (!total || !find_line(stat, "user", times.user_ns) || !find_line(stat, "system", times.system_ns))
    return std::nullopt;
  times.total_ns = *total;
  if (!multiply(times.user_ns, tick_ns) || !multiply(times.system_ns, tick_ns)) return std::nullopt;
  return times;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  text = trimmed(text);
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint32_t> vcpu_of_thread_name(std::string_view comm) {
  if (comm.ends_with('\n')) comm.remove_suffix(1);
  if (!comm.starts_with("CPU ") || !(comm.ends_with("/KVM") || comm.ends_with("/TCG"))) return std::nullopt;
  const std::string_view digits = comm.substr(4, comm.size() - 8);
  std::uint32_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  return number;
}

bool is_shared_vcpu_thread(std::string_view comm) { return comm.starts_with("ALL CPUs/"); }

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return std::nullopt;
    const int high = hex_digit(text[at++]);
    const int low = hex_digit(text[at++]);
    if (high < 0 || low < 0) return std::nullopt;
    uuid.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return uuid;
}

std::optional<Uuid> uuid_of_command_line(std::string_view words) {
  const auto word = word_behind(words, "-uuid");
  return word ? parse_uuid(*word) : std::nullopt;
}

bool command_line_names(std::string_view words, std::string_view name) {
  auto word = word_behind(words, "-name");
  if (!word || !word->starts_with("guest=")) return false;
  word->remove_prefix(6);
  // A comma of the name is doubled; a single one ends it.
  for (const char c : name) {
    if (!word->starts_with(c)) return false;
    word->remove_prefix(1);
    if (c != ',') continue;
    if (!word->starts_with(',')) return false;
    word->remove_prefix(1);
  }
  return word->empty() || (word->starts_with(',') && !word->starts_with(",,"));
}

}  // namespace virtmeter
