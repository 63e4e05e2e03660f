#include "source/libvirt/libvirt_error.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace virtmeter {
namespace {

constexpr std::string_view kStartDaemon =
    "sudo systemctl start libvirtd.socket libvirtd-ro.socket (newer systems: virtqemud.socket "
    "virtqemud-ro.socket)";

void ignore_error(void*, virErrorPtr) {}

LibvirtFailure last_failure() {
  const virErrorPtr error = virGetLastError();
  if (error == nullptr) return {0, 0, 0, "no reason given"};
  return {error->code, error->domain, error->int1,
          error->message == nullptr ? "" : printable(error->message, 500)};
}

std::string user_name() {
  const passwd* entry = getpwuid(geteuid());
  return entry == nullptr ? std::to_string(geteuid()) : entry->pw_name;
}

std::string at_socket(const LibvirtUri& uri) { return uri.socket.empty() ? "" : " (" + uri.socket + ")"; }

Error not_running(const LibvirtFailure& failure, std::string_view uri_text, const LibvirtUri& uri) {
  const bool absent = failure.errno_value == ENOENT;
  const std::string_view why = absent ? "no such socket" : "nobody listens on the socket";
  return {
      Errc::unavailable,
      fmt::format("E101 libvirt is not running: tried {}{}: {}", loggable_uri(uri_text), at_socket(uri), why),
      std::string(kStartDaemon)};
}

Error not_allowed(const LibvirtFailure& failure, std::string_view uri_text, const LibvirtUri& uri) {
  return {Errc::permission,
          fmt::format("E102 not allowed to use libvirt: tried {}{} as user {}: {}", loggable_uri(uri_text),
                      at_socket(uri), user_name(), failure.message),
          fmt::format("read-only access is open to local users on Debian: check that polkit runs, or: "
                      "sudo adduser {} libvirt (in a container without D-Bus: run as root)",
                      user_name())};
}

Error no_certificate(const LibvirtFailure& failure, std::string_view uri_text, const LibvirtUri& uri) {
  return {Errc::unavailable,
          fmt::format("E104 TLS to {} failed: {}", loggable_uri(uri_text), failure.message),
          fmt::format(
              "{}://host{} means TLS, which needs certificates in /etc/pki; for ssh write {}+ssh://user@{}{}",
              uri.driver, uri.path, uri.driver, uri.host, uri.path)};
}

bool mentions(const std::string& text, std::string_view word) { return text.find(word) != std::string::npos; }

}  // namespace

Error explain_connect_failure(const LibvirtFailure& failure, std::string_view uri_text,
                              const LibvirtUri& uri) {
  const bool polkit = failure.domain == VIR_FROM_DBUS || failure.domain == VIR_FROM_POLKIT ||
                      failure.code == VIR_ERR_AUTH_UNAVAILABLE || failure.code == VIR_ERR_AUTH_FAILED ||
                      failure.code == VIR_ERR_AUTH_CANCELLED;
  // ENOENT is both "no socket" and "no certificate": the transport tells which.
  if (uri.transport == "tls" && mentions(failure.message, "certificate"))
    return no_certificate(failure, uri_text, uri);
  if (failure.errno_value == EACCES || polkit) return not_allowed(failure, uri_text, uri);
  const bool no_socket = failure.errno_value == ENOENT || failure.errno_value == ECONNREFUSED;
  if (uri.transport == "unix" && failure.code == VIR_ERR_SYSTEM_ERROR && no_socket) {
    return not_running(failure, uri_text, uri);
  }
  if (failure.code == VIR_ERR_NO_CONNECT || mentions(failure.message, "URI path")) {
    return {Errc::invalid, fmt::format("E103 {}: {}", loggable_uri(uri_text), failure.message),
            "local: qemu:///system; over ssh: qemu+ssh://user@host/system"};
  }
  const std::string_view where = uri.host.empty() ? "the libvirt daemon" : "the host";
  return {Errc::unavailable,
          fmt::format("E101 no connection to {}: {}", loggable_uri(uri_text), failure.message),
          fmt::format("check that {} runs and that virsh -r -c '{}' list works as user {}", where,
                      loggable_uri(uri_text), user_name())};
}

Error last_connect_error(std::string_view uri_text, const LibvirtUri& uri) {
  return explain_connect_failure(last_failure(), uri_text, uri);
}

Error last_call_error(std::string_view what) {
  const CallFailure failure = classify_last_error();
  Errc code = Errc::unavailable;
  if (failure == CallFailure::domain_gone) code = Errc::not_found;
  if (failure == CallFailure::unsupported) code = Errc::invalid;
  return {code, fmt::format("{}: {}", what, last_failure().message), ""};
}

CallFailure classify_last_error() {
  const virErrorPtr error = virGetLastError();
  if (error == nullptr) return CallFailure::other;
  switch (error->code) {
    case VIR_ERR_NO_DOMAIN:
      return CallFailure::domain_gone;
    case VIR_ERR_NO_SUPPORT:
    case VIR_ERR_ARGUMENT_UNSUPPORTED:
    case VIR_ERR_CONFIG_UNSUPPORTED:
      return CallFailure::unsupported;
    case VIR_ERR_RPC:
    case VIR_ERR_INVALID_CONN:
      return CallFailure::connection_lost;
    // The client's own failure to talk to the daemon: end of file, reset, keepalive timeout.
    case VIR_ERR_SYSTEM_ERROR:
    case VIR_ERR_INTERNAL_ERROR:
      return error->domain == VIR_FROM_RPC || error->domain == VIR_FROM_REMOTE ? CallFailure::connection_lost
                                                                               : CallFailure::other;
    default:
      return CallFailure::other;
  }
}

void silence_libvirt_errors() { virSetErrorFunc(nullptr, ignore_error); }

}  // namespace virtmeter
