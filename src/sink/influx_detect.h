// Asks a server which write API it has, with GET /ping: first without the credential, which an unknown server
// has no business with; with it when a gate demands one.
#pragma once

#include "base/result.h"
#include "net/http_client.h"
#include "sink/influx_api.h"

namespace virtmeter {

// Errors are http_error.h's when there is no answer, and unavailable for an answer that says "later"; all
// others need a person. An answer that names no product is an error, never a guess.
Result<InfluxApi> detect_influx_api(HttpClient& client, const InfluxTarget& target);

}  // namespace virtmeter
