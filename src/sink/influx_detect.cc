#include "sink/influx_detect.h"

#include <fmt/format.h>

#include "sink/influx_words.h"

namespace virtmeter {
namespace {

Error unrecognized(const HttpResponse& response, const InfluxTarget& target) {
  if (response.status / 100 == 2) {
    return {Errc::invalid,
            fmt::format("{} does not say which product it is (GET /ping, HTTP {})", target.url.origin(),
                        response.status),
            "set influx_api to v1, v2 or v3; VictoriaMetrics takes v1"};
  }
  Error error = explain(judge_response(response, target, 0), response, target);
  error.message += ", asked for /ping";
  return error;
}

}  // namespace

Result<InfluxApi> detect_influx_api(HttpClient& client, const InfluxTarget& target) {
  HttpRequest ping{HttpMethod::get, ping_url(target), {}, {}};
  Result<HttpResponse> response = client.send(ping);
  if (!response) return response.error();
  if (const auto api = api_of(*response)) return *api;

  const auto credential = authorization(target, InfluxApi::automatic);
  if (credential && (response->status == 401 || response->status == 403)) {
    ping.headers.push_back(*credential);
    response = client.send(ping);
    if (!response) return response.error();
    if (const auto api = api_of(*response)) return *api;
  }
  return unrecognized(*response, target);
}

}  // namespace virtmeter
