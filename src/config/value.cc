#include "config/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "config/problem.h"
#include "config/text_rules.h"

namespace virtmeter {
namespace {

using std::chrono::nanoseconds;
using Kind = SettingValue::Kind;

// Spellings that other programs taught people.
struct Spelling {
  std::string_view written;
  std::string_view meant;
};
constexpr std::array kSpellings = std::to_array<Spelling>({{"warn", "warning"}});

bool is_text(const SettingValue& value) { return value.kind == Kind::plain || value.kind == Kind::string; }

std::string number_text(double number) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return {buffer.data(), error == std::errc{} ? end : buffer.data()};
}

// What was written, for "..., got X".
std::string got(const Option& option, const SettingValue& value) {
  const bool secret = type_of(option) == OptionType::secret;
  switch (value.kind) {
    case Kind::plain:
    case Kind::string:
      return secret ? "a text" : shown_in_quotes(value.text);
    case Kind::integer:
      return secret ? "a number" : std::to_string(value.integer);
    case Kind::number:
      return secret ? "a number" : number_text(value.number);
    case Kind::boolean:
      return value.integer != 0 ? "true" : "false";
    case Kind::date:
      return "a date or time";
    case Kind::array:
      return "an array";
    case Kind::table:
      return "a table";
  }
  return "something else";
}

// "write a whole number, 1 to 100000, for example 2000". Quotes belong to TOML, not to a variable or a flag.
std::string right_form(const Option& option, const SettingValue& value) {
  const OptionType type = type_of(option);
  std::string out = "write " + type_text(option);
  if (type == OptionType::integer || type == OptionType::duration) out += ", " + allowed_text(option);
  if (type == OptionType::secret) return out + " in quotes";
  const std::string example = example_text(option);
  return out + ", for example " + (value.kind == Kind::plain ? example : toml_literal(option, example));
}

SettingComplaint wrong_type(const Option& option, const SettingValue& value) {
  return {std::string(option.key) + " must be " + type_text(option) + ", got " + got(option, value),
          right_form(option, value)};
}

SettingComplaint out_of_range(const Option& option, const SettingValue& value, std::string_view which) {
  return {std::string(option.key) + " is too " + std::string(which) + ": " + got(option, value),
          right_form(option, value)};
}

std::optional<SettingComplaint> store(const Option& option, const SettingValue& value, std::string& target) {
  if (!is_text(value)) return wrong_type(option, value);
  if (auto complaint = check_text(option, value.text)) return complaint;
  target = value.text;
  return std::nullopt;
}

std::optional<SettingComplaint> store(const Option& option, const SettingValue& value, Secret& target) {
  if (!is_text(value)) return wrong_type(option, value);
  if (auto complaint = check_text(option, value.text)) return complaint;
  target = Secret(value.text);
  return std::nullopt;
}

std::optional<SettingComplaint> store(const Option& option, const SettingValue& value, std::int64_t& target) {
  std::int64_t number = value.integer;
  if (value.kind == Kind::plain) {
    const std::string_view digits = trimmed(value.text);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (end != digits.data() + digits.size() || error == std::errc::invalid_argument)
      return wrong_type(option, value);
    const bool negative = digits.starts_with('-');
    if (error != std::errc{}) return out_of_range(option, value, negative ? "small" : "large");
  } else if (value.kind != Kind::integer) {
    return wrong_type(option, value);
  }
  if (number < option.minimum) return out_of_range(option, value, "small");
  if (number > option.maximum) return out_of_range(option, value, "large");
  target = number;
  return std::nullopt;
}

std::optional<SettingComplaint> store(const Option& option, const SettingValue& value, nanoseconds& target) {
  nanoseconds duration{};
  if (is_text(value)) {
    const auto parsed = parse_duration(value.text);
    if (!parsed) return wrong_type(option, value);
    duration = *parsed;
  } else if (value.kind == Kind::integer || value.kind == Kind::number) {
    const double seconds = value.kind == Kind::integer ? static_cast<double>(value.integer) : value.number;
    if (std::isnan(seconds)) return wrong_type(option, value);
    // Clamped first: a double beyond 64 bits has no nanoseconds.
    duration = nanoseconds(static_cast<std::int64_t>(std::round(std::clamp(seconds, -1e9, 1e9) * 1e9)));
  } else {
    return wrong_type(option, value);
  }
  if (duration < nanoseconds(option.minimum)) return out_of_range(option, value, "small");
  if (duration > nanoseconds(option.maximum)) return out_of_range(option, value, "large");
  target = duration;
  return std::nullopt;
}

SettingComplaint unknown_choice(const Option& option, const SettingValue& value) {
  const std::string what =
      std::string(option.key) + " must be " + type_text(option) + ", got " + got(option, value);
  const std::string_view near =
      value.text.size() > 64 ? "" : nearest(lowered_ascii(value.text), option.choices);
  if (near.empty()) return {what, right_form(option, value)};
  return {what, "did you mean " + shown_in_quotes(near) + "?"};
}

template <typename Enum>
std::optional<SettingComplaint> store(const Option& option, const SettingValue& value, Enum& target) {
  if (!is_text(value)) return wrong_type(option, value);
  std::string word = lowered_ascii(trimmed(value.text));
  for (const Spelling& spelling : kSpellings) {
    if (word == spelling.written) word = spelling.meant;
  }
  const auto found = std::find(option.choices.begin(), option.choices.end(), word);
  if (found == option.choices.end()) return unknown_choice(option, value);
  target = static_cast<Enum>(found - option.choices.begin());
  return std::nullopt;
}

}  // namespace

std::optional<SettingComplaint> assign(const Option& option, const SettingValue& value, Settings& settings) {
  return std::visit([&](auto member) { return store(option, value, settings.*member); }, option.member);
}

}  // namespace virtmeter
