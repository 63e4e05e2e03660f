// The pages of the HTTP server: which path is answered with what. Pure function over the daemon's report.
// Thread-safe.
#pragma once

#include "net/http_reply.h"
#include "web/report.h"

namespace virtmeter {

//   /health         200 for as long as the process answers at all
//   /ready          200 when it collects and delivers, else 503; both with the reasons as JSON
//   /api/v1/status  everything
HttpReply answer_page(const HttpAsked& asked, const ReportSource& source);

}  // namespace virtmeter
