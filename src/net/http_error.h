// What went wrong below HTTP, in an operator's words: curl's code and words become a kind, a clause and a
// fix. Pure. Thread-safe.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace virtmeter {

// One failed transfer, as far as it got.
struct FailedTransfer {
  CURLcode code = CURLE_OK;
  std::string_view origin;  // "http://host:port"
  std::string_view words;   // curl's own, from its error buffer; printed as hostile text.
  int os_errno = 0;         // Why connect() failed; 0: not said.
  std::string ca_file;
  std::chrono::milliseconds connect_timeout{0};
  std::chrono::milliseconds total_timeout{0};
  std::chrono::seconds stall_timeout{0};
  std::size_t bytes_sent = 0;  // 0: the request did not leave.
};

// The kind says what may have happened to the request:
//   unavailable  it did not reach the server, which cannot be reached just now: send it again later;
//   io           it may have arrived, its answer did not: send the same bytes again;
//   permission   TLS does not let it leave: somebody must act;
//   invalid      the address is wrong, or what answers there is no HTTP server: somebody must act.
Error http_error(const FailedTransfer& failed);

}  // namespace virtmeter
