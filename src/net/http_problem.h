// An error of our HTTP server as RFC 9457 wants it: application/problem+json with type, title, status, detail
// and, as everywhere in virtmeter, the fix. Pure function. Thread-safe.
#pragma once

#include <string_view>

#include "net/http_reply.h"

namespace virtmeter {

// `detail` and `fix` may hold a stranger's bytes: what is not UTF-8 is replaced.
HttpReply http_problem(int status, std::string_view detail, std::string_view fix);

}  // namespace virtmeter
