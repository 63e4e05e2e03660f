// The write APIs that speak line protocol: what a write request looks like to each, and which of them a
// server has, told from its answer to /ping. Pure functions. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_client.h"
#include "net/url.h"

namespace virtmeter {

enum class InfluxApi : std::uint8_t {
  automatic,         // Ask the server.
  v1,                // InfluxDB 1.x and what imitates it: /write
  v2,                // InfluxDB 2.x: /api/v2/write
  v3,                // InfluxDB 3: /api/v3/write_lp
  victoria_metrics,  // /write, other credentials
};

// "auto", "v1", "v2", "v3", "victoria_metrics": as in the settings.
std::string_view name_of(InfluxApi api);

struct InfluxTarget {
  Url url;
  std::string database;  // Bucket in 2.x.
  std::string org;       // 2.x only.
  std::string token;     // May be "user:password" for 1.x and VictoriaMetrics; may be empty.
};

// `api` is not automatic. Timestamps are nanoseconds.
std::string write_url(const InfluxTarget& target, InfluxApi api);

std::string ping_url(const InfluxTarget& target);

// The Authorization header that `api` wants; nothing without a token. For automatic: what a gate before an
// unknown server most likely wants.
std::optional<HttpHeader> authorization(const InfluxTarget& target, InfluxApi api);

// The token in every form in which it travels, for taking it out of messages.
std::vector<std::string> secrets_of(const InfluxTarget& target);

// The API of a server that answered so to GET /ping, or to anything else; nothing when it does not say.
std::optional<InfluxApi> api_of(const HttpResponse& response);

}  // namespace virtmeter
