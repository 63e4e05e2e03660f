#include "net/http_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace virtmeter {
namespace {

constexpr std::string_view kFixLost =
    "look into the log of the server, or of the proxy in front of it, at this time";
constexpr std::string_view kFixTls = "check the server's certificate: openssl s_client -connect HOST:PORT";

// A row holds when the code is the same and curl's words contain `needle`; the first that holds wins. An
// empty clause means: connect() failed, say why.
struct Row {
  CURLcode code;
  std::string_view needle;
  Errc kind;
  std::string_view clause;
  std::string_view fix;
};

constexpr auto kRows = std::to_array<Row>({
    {CURLE_COULDNT_RESOLVE_HOST, "", Errc::unavailable, "host name not found",
     "check the host name in the URL, and that this host's DNS knows it: getent hosts NAME"},
    {CURLE_COULDNT_RESOLVE_PROXY, "", Errc::unavailable, "proxy's host name not found",
     "check http_proxy, https_proxy and no_proxy in the environment"},
    {CURLE_COULDNT_CONNECT, "", Errc::unavailable, "", ""},
    {CURLE_GOT_NOTHING, "", Errc::io, "connection closed without an answer",
     "look into the log of the server, or of the proxy in front of it; or does the URL need https:// there?"},
    {CURLE_SEND_ERROR, "", Errc::io, "connection lost while sending", kFixLost},
    {CURLE_RECV_ERROR, "from proxy after CONNECT", Errc::unavailable, "refused by the proxy",
     "check http_proxy, https_proxy and no_proxy in the environment"},
    {CURLE_RECV_ERROR, "", Errc::io, "connection lost while waiting for the answer", kFixLost},
    {CURLE_PARTIAL_FILE, "", Errc::io, "connection lost in the middle of the answer", kFixLost},
    {CURLE_PEER_FAILED_VERIFICATION, "has expired", Errc::permission, "TLS: certificate expired",
     "renew the server's certificate; if it is still valid, set this host's clock: timedatectl status"},
    {CURLE_PEER_FAILED_VERIFICATION, "not yet valid", Errc::permission, "TLS: certificate not valid yet",
     "set this host's clock: timedatectl status"},
    {CURLE_PEER_FAILED_VERIFICATION, "host name", Errc::permission,
     "TLS: certificate is for another host name",
     "write in the URL the host name that the certificate is for"},
    {CURLE_PEER_FAILED_VERIFICATION, "self-signed", Errc::permission, "TLS: certificate of an unknown issuer",
     "name the file with the issuer's certificate (PEM) in influx_ca_file"},
    {CURLE_PEER_FAILED_VERIFICATION, "issuer certificate", Errc::permission,
     "TLS: certificate of an unknown issuer",
     "name the file with the issuer's certificate (PEM) in influx_ca_file"},
    {CURLE_PEER_FAILED_VERIFICATION, "", Errc::permission, "TLS: certificate refused", kFixTls},
    {CURLE_SSL_CACERT_BADFILE, "", Errc::permission, "TLS: influx_ca_file {ca_file} cannot be used",
     "name in influx_ca_file a PEM file that exists and that this user may read"},
    {CURLE_SSL_CONNECT_ERROR, "wrong version number", Errc::permission, "TLS: the server does not speak TLS",
     "write http:// instead of https:// in the URL, or turn TLS on at the server"},
    {CURLE_SSL_CONNECT_ERROR, "packet length too long", Errc::permission,
     "TLS: the server does not speak TLS",
     "write http:// instead of https:// in the URL, or turn TLS on at the server"},
    {CURLE_SSL_CONNECT_ERROR, "", Errc::unavailable, "TLS: handshake failed", kFixTls},
    {CURLE_UNSUPPORTED_PROTOCOL, "HTTP/0.9", Errc::invalid, "the answer is not HTTP",
     "check the port in the URL, and whether it needs https:// instead of http://"},
    {CURLE_WEIRD_SERVER_REPLY, "", Errc::invalid, "the answer is not HTTP", "check the port in the URL"},
    {CURLE_UNSUPPORTED_PROTOCOL, "", Errc::invalid, "neither http nor https",
     "write the URL as http://HOST:PORT or https://HOST:PORT"},
    {CURLE_URL_MALFORMAT, "", Errc::invalid, "not a URL",
     "write the URL as http://HOST:PORT or https://HOST:PORT"},
    {CURLE_ABORTED_BY_CALLBACK, "", Errc::unavailable, "cancelled because virtmeter stops", ""},
});

const Row* find_row(const FailedTransfer& failed) {
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) {
    return r.code == failed.code && failed.words.find(r.needle) != std::string_view::npos;
  });
  return row == kRows.end() ? nullptr : row;
}

Error timed_out(const FailedTransfer& failed) {
  if (failed.bytes_sent == 0) {
    return {Errc::unavailable,
            fmt::format("{}: no connection after {}", failed.origin, format_duration(failed.connect_timeout)),
            "check host and port in the URL, the network and the firewall"};
  }
  const bool stalled = failed.words.find("too slow") != std::string_view::npos;
  const std::chrono::nanoseconds waited = stalled ? failed.stall_timeout : failed.total_timeout;
  return {Errc::io, fmt::format("{}: no answer after {}", failed.origin, format_duration(waited)),
          "look at the load of the server, and of the proxy in front of it"};
}

Error not_connected(const FailedTransfer& failed) {
  if (failed.bytes_sent > 0) {
    // A kept connection broke under the request, and curl's second try found nobody listening any more.
    return {Errc::io, fmt::format("{}: connection lost, and then none to be had", failed.origin),
            std::string(kFixLost)};
  }
  if (failed.os_errno == ECONNREFUSED) {
    return {Errc::unavailable, fmt::format("{}: connection refused", failed.origin),
            "start the server, or correct host and port in the URL: nothing listens there"};
  }
  std::string why = failed.os_errno != 0 ? std::strerror(failed.os_errno) : printable(failed.words);
  if (!why.empty() && why[0] >= 'A' && why[0] <= 'Z') why[0] = static_cast<char>(why[0] - 'A' + 'a');
  return {Errc::unavailable, fmt::format("{}: connect: {}", failed.origin, why),
          "check host and port in the URL, the network and the firewall"};
}

std::string filled_in(std::string_view clause, const FailedTransfer& failed) {
  constexpr std::string_view kCaFile = "{ca_file}";
  std::string out(clause);
  const std::size_t at = out.find(kCaFile);
  if (at != std::string::npos) out.replace(at, kCaFile.size(), printable(failed.ca_file));
  return out;
}

}  // namespace

Error http_error(const FailedTransfer& failed) {
  if (failed.code == CURLE_OPERATION_TIMEDOUT) return timed_out(failed);
  const Row* row = find_row(failed);
  if (row != nullptr && row->clause.empty()) return not_connected(failed);

  const std::string words = printable(failed.words.empty() ? curl_easy_strerror(failed.code) : failed.words);
  if (row == nullptr) return {Errc::io, fmt::format("{}: {}", failed.origin, words), std::string(kFixLost)};
  std::string message = fmt::format("{}: {}", failed.origin, filled_in(row->clause, failed));
  if (!failed.words.empty()) message += fmt::format(" ({})", words);
  return {row->kind, std::move(message), std::string(row->fix)};
}

}  // namespace virtmeter
