#include "source/libvirt/uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace virtmeter {
namespace {

constexpr std::array<std::string_view, 12> kDrivers = {"qemu", "test", "xen", "lxc",   "ch",   "vz",
                                                       "esx",  "vpx",  "gsx", "bhyve", "vbox", "hyperv"};
constexpr std::array<std::string_view, 9> kTransports = {"unix",   "tls",     "tcp",    "ssh",   "ext",
                                                         "libssh", "libssh2", "native", "netcat"};
constexpr std::array<std::string_view, 2> kQemuPaths = {"/system", "/session"};

Error wrong(std::string_view text, std::string_view why, std::string fix) {
  return {Errc::invalid,
          fmt::format("E103 that libvirt address does not exist: \"{}\": {}", loggable_uri(text), why),
          std::move(fix)};
}

// "mode" of "qemu:///system?a=b&mode=c"; empty when the query has no such key.
std::string query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == key)
      return std::string(pair.substr(equals + 1));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return "";
}

// With the same text for every case: what the word should have been, or the usual forms.
std::string did_you_mean(std::string_view prefix, std::string_view near, std::string_view suffix) {
  if (near.empty()) return "local: qemu:///system; over ssh: qemu+ssh://user@host/system";
  return fmt::format("did you mean {}{}{} ?", prefix, near, suffix);
}

struct Parts {
  std::string_view scheme;
  std::string_view host;
  std::string_view path;
  std::string_view query;
  std::string_view rest;  // All behind the scheme.
};

Result<Parts> split(std::string_view text) {
  Parts parts;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) {
    return wrong(text, "it is not of the form driver://host/path", did_you_mean("", "", ""));
  }
  parts.scheme = text.substr(0, colon);
  parts.rest = text.substr(colon);
  std::string_view rest = text.substr(colon + 3);
  const std::size_t question = rest.find('?');
  if (question != std::string_view::npos) parts.query = rest.substr(question + 1);
  rest = rest.substr(0, question);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  parts.host = rest.substr(0, slash);
  parts.path = rest.substr(slash);
  return parts;
}

// Where a read-only client of a local daemon connects (libvirt's remote_sockets.c, monolithic daemon).
std::string unix_socket(const LibvirtUri& uri, std::string_view query) {
  if (uri.transport != "unix") return "";
  std::string chosen = query_value(query, "socket");
  if (!chosen.empty()) return chosen;
  return uri.path == "/system" ? "/run/libvirt/libvirt-sock-ro" : "";
}

}  // namespace

std::string loggable_uri(std::string_view text) {
  const std::size_t authority = text.find("://");
  if (authority == std::string_view::npos) return printable(text);
  const std::size_t end = std::min(text.find_first_of("/?", authority + 3), text.size());
  const std::string_view user = text.substr(authority + 3, end - authority - 3);
  const std::size_t at = user.rfind('@');
  const std::size_t colon = user.find(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon > at) return printable(text);
  return printable(text.substr(0, authority + 3)) + printable(user.substr(0, colon)) + ":***" +
         printable(user.substr(at)) + printable(text.substr(end));
}

Result<LibvirtUri> parse_libvirt_uri(std::string_view text) {
  const Result<Parts> split_parts = split(text);
  if (!split_parts) return split_parts.error();
  const Parts& parts = *split_parts;

  LibvirtUri uri;
  const std::size_t plus = parts.scheme.find('+');
  uri.driver = parts.scheme.substr(0, plus);
  if (plus != std::string_view::npos) uri.transport = parts.scheme.substr(plus + 1);
  uri.host = parts.host;
  uri.path = parts.path;

  if (std::find(kDrivers.begin(), kDrivers.end(), uri.driver) == kDrivers.end()) {
    // "kvm" is the word people try first; no distance leads from it to "qemu".
    const std::string_view near = uri.driver == "kvm" ? "qemu" : nearest(uri.driver, kDrivers);
    return wrong(text, fmt::format("libvirt has no driver \"{}\"", printable(uri.driver)),
                 did_you_mean("", near, parts.rest));
  }
  if (plus != std::string_view::npos &&
      std::find(kTransports.begin(), kTransports.end(), uri.transport) == kTransports.end()) {
    return wrong(text, fmt::format("libvirt has no transport \"{}\"", printable(uri.transport)),
                 did_you_mean(uri.driver + "+", nearest(uri.transport, kTransports), parts.rest));
  }
  const bool in_process = uri.driver == "test" && uri.host.empty() && uri.transport.empty();
  if (uri.transport.empty() && !in_process) uri.transport = uri.host.empty() ? "unix" : "tls";
  if (uri.driver == "qemu" && std::find(kQemuPaths.begin(), kQemuPaths.end(), uri.path) == kQemuPaths.end()) {
    const std::string_view near = nearest(uri.path, kQemuPaths);
    return wrong(
        text, fmt::format("the QEMU driver has no path \"{}\"", printable(uri.path)),
        did_you_mean(fmt::format("{}://{}", parts.scheme, parts.host), near.empty() ? "/system" : near, ""));
  }
  uri.socket = unix_socket(uri, parts.query);
  return uri;
}

bool is_local_qemu(const LibvirtUri& uri) {
  return uri.driver == "qemu" && uri.transport == "unix" && uri.host.empty();
}

}  // namespace virtmeter
