// Where a server of ours listens: host:port as one writes it, resolved without asking the network. Only
// loopback is served, so that is all that resolves. Pure functions. Thread-safe.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace virtmeter {

struct ListenAddress {
  std::string host;  // "127.0.0.1", "::1", "localhost"; without brackets.
  std::uint16_t port = 0;
  sockaddr_storage address{};
  socklen_t address_bytes = 0;

  // "127.0.0.1:9178", "[::1]:9178".
  std::string text() const;
};

// Errc::invalid for what is no host:port, and, with a sentence of its own, for whatever is not loopback:
// there is neither TLS nor a credential to keep strangers out. "localhost" is 127.0.0.1.
Result<ListenAddress> parse_listen_address(std::string_view text);

// Whether the value of a request's header Host may stand in front of a server on loopback: a loopback name or
// address, with any port or none. A page from elsewhere whose name was made to resolve to 127.0.0.1 (DNS
// rebinding) names itself there.
bool is_loopback_host_header(std::string_view value);

}  // namespace virtmeter
