// URLs of servers we write to: parsed once, checked, and shown without what must stay secret. Pure functions.
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace virtmeter {

// scheme://host[:port][/path]. A URL with user, password, query or fragment is refused by parse_url(), so
// that all of a Url may be logged.
struct Url {
  std::string scheme;  // "http" or "https".
  std::string host;    // As written; an IPv6 address keeps its brackets.
  std::string port;    // Empty: the scheme's own.
  std::string path;    // Without a trailing slash; empty for the root.

  // "http://host:port": the server, for messages.
  std::string origin() const;
  // origin() and path: what "/write" is appended to.
  std::string base() const { return origin() + path; }
};

// The parts of `text`, or Errc::invalid; neither message nor fix repeats a password in it.
Result<Url> parse_url(std::string_view text);

// `text` with all but RFC 3986's unreserved characters as %XX, for a query value.
std::string percent_encoded(std::string_view text);

// localhost, *.localhost, 127.0.0.0/8, ::1: this machine, where a proxy has no business.
bool is_loopback(std::string_view host);

}  // namespace virtmeter
