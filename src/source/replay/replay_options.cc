#include "source/replay/replay_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace virtmeter {
namespace {

constexpr std::string_view kScheme = "replay:";
constexpr std::string_view kUsage = "replay:///path/of/recording?vms=10000&seed=7 (docs/replay.md)";

struct Option {
  std::string_view name;
  double minimum;
  double maximum;
};

// As far as a double counts whole numbers without a gap.
constexpr double kSeedMax = 9'007'199'254'740'992;

constexpr auto kOptions = std::to_array<Option>({
    {"vms", 1, static_cast<double>(ReplayOptions::kVmsMax)},
    {"seed", 0, kSeedMax},
    {"nics", 0, static_cast<double>(ReplayOptions::kNicsMax)},
    {"disks", 0, static_cast<double>(ReplayOptions::kDisksMax)},
    {"churn", 0, ReplayOptions::kPerHourMax},
    {"hotplug", 0, ReplayOptions::kPerHourMax},
});

// Rates may have a fraction.
bool is_rate(const Option& option) { return option.name == "churn" || option.name == "hotplug"; }

Error wrong(std::string_view address, std::string_view why, std::string fix) {
  return {Errc::invalid, fmt::format("{}: {}", printable(address), why), std::move(fix)};
}

std::optional<double> number_of(std::string_view text, const Option& option) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!is_rate(option) && text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  if (!(value >= option.minimum && value <= option.maximum)) return std::nullopt;
  return value;
}

void set(ReplayOptions& options, std::string_view name, double value) {
  if (name == "churn") options.churn = value;
  if (name == "hotplug") options.hotplug = value;
  if (name == "vms") options.vms = static_cast<std::uint64_t>(value);
  if (name == "seed") options.seed = static_cast<std::uint64_t>(value);
  if (name == "nics") options.nics = static_cast<std::uint64_t>(value);
  if (name == "disks") options.disks = static_cast<std::uint64_t>(value);
}

Status take_option(std::string_view address, std::string_view pair, ReplayOptions& options) {
  const std::size_t equals = std::min(pair.find('='), pair.size());
  const std::string_view name = pair.substr(0, equals);
  const std::string_view text = pair.substr(std::min(equals + 1, pair.size()));
  const auto option =
      std::find_if(kOptions.begin(), kOptions.end(), [&](const Option& o) { return o.name == name; });
  if (option == kOptions.end()) {
    std::array<std::string_view, kOptions.size()> names{};
    std::transform(kOptions.begin(), kOptions.end(), names.begin(), [](const Option& o) { return o.name; });
    const std::string_view near = nearest(name, names);
    return wrong(address, fmt::format("there is no option \"{}\"", printable(name, 64)),
                 near.empty() ? fmt::format("use {}", fmt::join(names, ", "))
                              : fmt::format("did you mean {} ?", near));
  }
  const auto value = number_of(text, *option);
  if (!value) {
    return wrong(
        address, fmt::format("{} cannot be \"{}\"", name, printable(text, 64)),
        fmt::format("give {} from {:.0f} to {:.0f}", is_rate(*option) ? "a number" : "a whole number",
                    option->minimum, option->maximum));
  }
  set(options, name, *value);
  return Status::ok();
}

}  // namespace

bool is_replay_address(std::string_view text) { return text.starts_with(kScheme); }

Result<ReplayOptions> parse_replay_address(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
  if (!rest.starts_with("///"))
    return wrong(text, "the file is not named by its whole path", std::string(kUsage));
  rest.remove_prefix(2);
  const std::size_t question = std::min(rest.find('?'), rest.size());
  ReplayOptions options;
  options.path = rest.substr(0, question);
  if (options.path.size() < 2) return wrong(text, "it names no file", std::string(kUsage));
  rest.remove_prefix(std::min(question + 1, rest.size()));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    if (Status taken = take_option(text, rest.substr(0, end), options); !taken)
      return std::move(taken).error();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return options;
}

}  // namespace virtmeter
