#include "sink/influx_api.h"

#include <fmt/format.h>

#include <array>

namespace virtmeter {
namespace {

// RFC 4648, section 4.
std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = (bits << 8) | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i)
      out += i <= group.size() ? kAlphabet[(bits >> (18 - 6 * i)) & 0x3F] : '=';
  }
  return out;
}

bool is_user_and_password(std::string_view token) { return token.find(':') != std::string_view::npos; }

enum class Scheme : std::uint8_t { basic, token, bearer };

Scheme scheme_of(std::string_view token, InfluxApi api) {
  switch (api) {
    case InfluxApi::v1:
      return is_user_and_password(token) ? Scheme::basic : Scheme::token;
    case InfluxApi::v2:
      return Scheme::token;
    case InfluxApi::v3:
      return Scheme::bearer;
    case InfluxApi::victoria_metrics:
    case InfluxApi::automatic:
      break;
  }
  return is_user_and_password(token) ? Scheme::basic : Scheme::bearer;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

std::string_view name_of(InfluxApi api) {
  constexpr std::array<std::string_view, 5> kNames = {"auto", "v1", "v2", "v3", "victoria_metrics"};
  return kNames[static_cast<std::size_t>(api)];
}

std::string write_url(const InfluxTarget& target, InfluxApi api) {
  const std::string base = target.url.base();
  const std::string database = percent_encoded(target.database);
  switch (api) {
    case InfluxApi::v2:
      return fmt::format("{}/api/v2/write?org={}&bucket={}&precision=ns", base, percent_encoded(target.org),
                         database);
    case InfluxApi::v3:
      return fmt::format("{}/api/v3/write_lp?db={}&precision=nanosecond&accept_partial=true", base, database);
    case InfluxApi::automatic:
    case InfluxApi::v1:
    case InfluxApi::victoria_metrics:
      break;
  }
  return fmt::format("{}/write?db={}&precision=ns", base, database);
}

std::string ping_url(const InfluxTarget& target) { return target.url.base() + "/ping"; }

std::optional<HttpHeader> authorization(const InfluxTarget& target, InfluxApi api) {
  if (target.token.empty()) return std::nullopt;
  switch (scheme_of(target.token, api)) {
    case Scheme::basic:
      return HttpHeader{"Authorization", "Basic " + base64(target.token)};
    case Scheme::token:
      return HttpHeader{"Authorization", "Token " + target.token};
    case Scheme::bearer:
      return HttpHeader{"Authorization", "Bearer " + target.token};
  }
  return std::nullopt;
}

std::vector<std::string> secrets_of(const InfluxTarget& target) {
  if (target.token.empty()) return {};
  std::vector<std::string> secrets = {target.token, base64(target.token), percent_encoded(target.token)};
  const std::size_t colon = target.token.find(':');
  if (colon != std::string::npos && colon + 1 < target.token.size())
    secrets.push_back(target.token.substr(colon + 1));
  return secrets;
}

std::optional<InfluxApi> api_of(const HttpResponse& response) {
  // VictoriaMetrics calls itself InfluxDB 1.8.0 where it answers to writes, so its own header is asked first.
  if (!response.header("X-Server-Hostname").empty()) return InfluxApi::victoria_metrics;
  // InfluxDB 3 sends it with every answer, even with 401.
  if (!response.header("cluster-uuid").empty()) return InfluxApi::v3;

  std::string version = lower(response.header("X-Influxdb-Version"));
  if (version.starts_with('v')) version.erase(0, 1);
  if (version.starts_with("1.")) return InfluxApi::v1;
  if (version.starts_with("2.")) return InfluxApi::v2;
  if (version.starts_with("3.")) return InfluxApi::v3;
  // InfluxData's cloud services, 3.x ones included, take the 2.x API.
  const std::string build = lower(response.header("X-Influxdb-Build"));
  if (version.starts_with("cloud") || build.starts_with("cloud")) return InfluxApi::v2;
  return std::nullopt;
}

}  // namespace virtmeter
