#include "net/retry_after.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "base/text.h"

namespace virtmeter {
namespace {

constexpr std::chrono::seconds kWaitMax = std::chrono::hours(24);

}  // namespace

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, WallTime now) {
  value = trimmed(value);
  if (value.empty()) return std::nullopt;
  if (value.find_first_not_of("0123456789") == std::string_view::npos) {
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error != std::errc{}) return kWaitMax;
    return std::min(std::chrono::seconds(seconds), kWaitMax);
  }
  const time_t date = curl_getdate(std::string(value).c_str(), nullptr);
  if (date < 0) return std::nullopt;
  const std::chrono::seconds wait(date - now.unix_ns / 1'000'000'000);
  return std::clamp(wait, std::chrono::seconds(0), kWaitMax);
}

}  // namespace virtmeter
