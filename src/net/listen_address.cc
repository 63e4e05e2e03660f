#include "net/listen_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "net/url.h"

namespace virtmeter {
namespace {

struct HostAndPort {
  std::string_view host;  // Without brackets.
  std::string_view port;  // Empty: there was none.
};

// "host", "host:port", "[v6]", "[v6]:port"; nothing for any other form.
std::optional<HostAndPort> split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(end + 1);
    if (rest.empty()) return HostAndPort{text.substr(1, end - 1), ""};
    if (rest.size() < 2 || rest.front() != ':') return std::nullopt;
    return HostAndPort{text.substr(1, end - 1), rest.substr(1)};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return HostAndPort{text, ""};
  if (text.find(':', colon + 1) != std::string_view::npos || colon + 1 == text.size()) return std::nullopt;
  return HostAndPort{text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool resolve_v4(ListenAddress& listen) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(listen.port);
  const std::string literal = listen.host == "localhost" ? "127.0.0.1" : listen.host;
  if (inet_pton(AF_INET, literal.c_str(), &address.sin_addr) != 1) return false;
  std::memcpy(&listen.address, &address, sizeof address);
  listen.address_bytes = sizeof address;
  return true;
}

bool resolve_v6(ListenAddress& listen) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(listen.port);
  if (inet_pton(AF_INET6, listen.host.c_str(), &address.sin6_addr) != 1) return false;
  std::memcpy(&listen.address, &address, sizeof address);
  listen.address_bytes = sizeof address;
  return true;
}

}  // namespace

std::string ListenAddress::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto parts = split(text);
  const auto port = parts ? port_of(parts->port) : std::nullopt;
  if (!port || parts->host.empty()) {
    return Error{Errc::invalid, fmt::format("listen on {}: that is not host:port", printable(text)),
                 "write an address of this machine and a port, for example 127.0.0.1:9178"};
  }
  ListenAddress listen;
  listen.host = std::string(parts->host);
  listen.port = *port;
  if (!is_loopback(listen.host) || (!resolve_v4(listen) && !resolve_v6(listen))) {
    return Error{
        Errc::invalid,
        fmt::format("listen on {}: others could reach it, and there is neither TLS nor a credential "
                    "to keep them out",
                    printable(text)),
        fmt::format("write 127.0.0.1:{0}; from another machine use ssh -L {0}:127.0.0.1:{0}", *port)};
  }
  return listen;
}

bool is_loopback_host_header(std::string_view value) {
  const auto parts = split(value);
  if (!parts || (!parts->port.empty() && !port_of(parts->port))) return false;
  // is_loopback() takes whole families of names; a rebinding attacker may choose among names, so only the
  // plain one counts here.
  if (parts->host.ends_with(".localhost")) return false;
  return is_loopback(parts->host);
}

}  // namespace virtmeter
