// The sentences about a server's answer: what happened and what to do, with this server's names filled in and
// no credential in them. Pure. Thread-safe.
#pragma once

#include "base/result.h"
#include "net/http_client.h"
#include "sink/answer.h"
#include "sink/influx_api.h"

namespace virtmeter {

// judge() of a server's whole answer.
Answer judge_response(const HttpResponse& response, const InfluxTarget& target, std::uint64_t line_count);

// `http://influx:8086 has no database "vmstats" (HTTP 404: database not found: "vmstats")`, and the fix.
Error explain(const Answer& answer, const HttpResponse& response, const InfluxTarget& target);

}  // namespace virtmeter
