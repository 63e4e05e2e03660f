#include "net/http_error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace virtmeter {
namespace {

FailedTransfer failed(CURLcode code, std::string_view words, int os_errno = 0, std::size_t bytes_sent = 0) {
  FailedTransfer transfer;
  transfer.code = code;
  transfer.origin = "https://influx:8086";
  transfer.words = words;
  transfer.os_errno = os_errno;
  transfer.ca_file = "/etc/virtmeter/ca.pem";
  transfer.connect_timeout = std::chrono::seconds(5);
  transfer.total_timeout = std::chrono::seconds(30);
  transfer.bytes_sent = bytes_sent;
  return transfer;
}

void check(const FailedTransfer& transfer, Errc kind, std::string_view message, std::string_view fix) {
  const Error error = http_error(transfer);
  EXPECT_EQ(error.code, kind) << message;
  EXPECT_EQ(error.message, message);
  EXPECT_EQ(error.fix, fix);
}

TEST(HttpError, SaysThatTheServerCannotBeReached) {
  check(failed(CURLE_COULDNT_CONNECT, "Failed to connect to influx port 8086 after 0 ms", ECONNREFUSED),
        Errc::unavailable, "https://influx:8086: connection refused",
        "start the server, or correct host and port in the URL: nothing listens there");
  check(failed(CURLE_COULDNT_CONNECT, "Failed to connect", EHOSTUNREACH), Errc::unavailable,
        "https://influx:8086: connect: no route to host",
        "check host and port in the URL, the network and the firewall");
  check(failed(CURLE_COULDNT_CONNECT, "Failed to connect\n"), Errc::unavailable,
        "https://influx:8086: connect: failed to connect?",
        "check host and port in the URL, the network and the firewall");
  check(failed(CURLE_COULDNT_RESOLVE_HOST, "Could not resolve host: influx"), Errc::unavailable,
        "https://influx:8086: host name not found (Could not resolve host: influx)",
        "check the host name in the URL, and that this host's DNS knows it: getent hosts NAME");
  check(failed(CURLE_COULDNT_RESOLVE_PROXY, ""), Errc::unavailable,
        "https://influx:8086: proxy's host name not found",
        "check http_proxy, https_proxy and no_proxy in the environment");
  check(failed(CURLE_OPERATION_TIMEDOUT, "timed out"), Errc::unavailable,
        "https://influx:8086: no connection after 5s",
        "check host and port in the URL, the network and the firewall");
}

TEST(HttpError, SaysThatTheAnswerDidNotCome) {
  constexpr std::string_view kFix =
      "look into the log of the server, or of the proxy in front of it, at this time";
  check(failed(CURLE_GOT_NOTHING, "Empty reply from server", 0, 99), Errc::io,
        "https://influx:8086: connection closed without an answer (Empty reply from server)",
        "look into the log of the server, or of the proxy in front of it; or does the URL need https:// "
        "there?");
  check(failed(CURLE_RECV_ERROR, "Recv failure: Connection reset by peer", 0, 99), Errc::io,
        "https://influx:8086: connection lost while waiting for the answer (Recv failure: Connection reset "
        "by peer)",
        kFix);
  check(failed(CURLE_PARTIAL_FILE, "transfer closed with 5 bytes remaining to read", 0, 99), Errc::io,
        "https://influx:8086: connection lost in the middle of the answer (transfer closed with 5 bytes "
        "remaining to "
        "read)",
        kFix);
  check(failed(CURLE_SEND_ERROR, "Send failure: Broken pipe", 0, 99), Errc::io,
        "https://influx:8086: connection lost while sending (Send failure: Broken pipe)", kFix);
  check(failed(CURLE_COULDNT_CONNECT, "Failed to connect", ECONNREFUSED, 99), Errc::io,
        "https://influx:8086: connection lost, and then none to be had", kFix);
  check(failed(CURLE_BAD_CONTENT_ENCODING, "", 0, 99), Errc::io,
        "https://influx:8086: Unrecognized or bad HTTP Content or Transfer-Encoding", kFix);
  check(failed(CURLE_OPERATION_TIMEDOUT, "timed out", 0, 99), Errc::io,
        "https://influx:8086: no answer after 30s",
        "look at the load of the server, and of the proxy in front of it");
}

TEST(HttpError, SaysWhatTlsDislikes) {
  check(failed(CURLE_PEER_FAILED_VERIFICATION, "SSL certificate problem: certificate has expired"),
        Errc::permission,
        "https://influx:8086: TLS: certificate expired (SSL certificate problem: certificate has expired)",
        "renew the server's certificate; if it is still valid, set this host's clock: timedatectl status");
  check(failed(CURLE_PEER_FAILED_VERIFICATION,
               "SSL: no alternative certificate subject name matches target host name 'influx'"),
        Errc::permission,
        "https://influx:8086: TLS: certificate is for another host name (SSL: no alternative certificate "
        "subject name "
        "matches target host name 'influx')",
        "write in the URL the host name that the certificate is for");
  for (const std::string_view words : {"SSL certificate problem: self-signed certificate",
                                       "SSL certificate problem: unable to get local issuer certificate"}) {
    check(failed(CURLE_PEER_FAILED_VERIFICATION, words), Errc::permission,
          "https://influx:8086: TLS: certificate of an unknown issuer (" + std::string(words) + ")",
          "name the file with the issuer's certificate (PEM) in influx_ca_file");
  }
  check(failed(CURLE_SSL_CACERT_BADFILE, "error setting certificate file"), Errc::permission,
        "https://influx:8086: TLS: influx_ca_file /etc/virtmeter/ca.pem cannot be used (error setting "
        "certificate file)",
        "name in influx_ca_file a PEM file that exists and that this user may read");
  check(failed(CURLE_SSL_CONNECT_ERROR, "error:0A00010B:SSL routines::wrong version number"),
        Errc::permission,
        "https://influx:8086: TLS: the server does not speak TLS (error:0A00010B:SSL routines::wrong version "
        "number)",
        "write http:// instead of https:// in the URL, or turn TLS on at the server");
}

TEST(HttpError, SaysThatTheAddressIsWrong) {
  check(failed(CURLE_UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed", 0, 99), Errc::invalid,
        "https://influx:8086: the answer is not HTTP (Received HTTP/0.9 when not allowed)",
        "check the port in the URL, and whether it needs https:// instead of http://");
  check(failed(CURLE_UNSUPPORTED_PROTOCOL, ""), Errc::invalid, "https://influx:8086: neither http nor https",
        "write the URL as http://HOST:PORT or https://HOST:PORT");
}

TEST(HttpError, PrintsHostileWordsHarmlessly) {
  check(failed(CURLE_GOT_NOTHING, "\x1b[2J\nFAKE log line", 0, 99), Errc::io,
        "https://influx:8086: connection closed without an answer (?[2J?FAKE log line)",
        "look into the log of the server, or of the proxy in front of it; or does the URL need https:// "
        "there?");
}

}  // namespace
}  // namespace virtmeter
