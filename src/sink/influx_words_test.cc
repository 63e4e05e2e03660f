#include "sink/influx_words.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

InfluxTarget target(std::string token = "t0ken") {
  return {parse_url("https://influx:8086/tsdb").value(), "vmstats", "acme", std::move(token)};
}

Error explained(int status, std::string body, const InfluxTarget& to = target(), std::string location = "") {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  if (!location.empty()) response.headers.push_back({"Location", location});
  return explain(judge_response(response, to, 1), response, to);
}

TEST(InfluxWords, SayWhatHappenedAndWhatToDo) {
  const auto check = [](const Error& error, Errc code, std::string_view message, std::string_view fix) {
    EXPECT_EQ(error.code, code) << message;
    EXPECT_EQ(error.message, message);
    EXPECT_EQ(error.fix, fix);
  };
  check(explained(401, R"({"error":"authorization failed"})"), Errc::permission,
        "https://influx:8086 refused the credential (HTTP 401: authorization failed)",
        "put a credential that may write \"vmstats\" (InfluxDB 1.x: user:password) into the file that holds "
        "the token, which is read again by itself; or set influx_token, and restart virtmeter");
  check(explained(401, "", target("")), Errc::permission,
        "https://influx:8086 refused the credential (HTTP 401)",
        "set influx_token: this server asks for a credential, and none is configured");
  check(explained(404, R"({"error":"database not found: \"vmstats\""})"), Errc::not_found,
        "https://influx:8086 has no database \"vmstats\" (HTTP 404: database not found: \"vmstats\")",
        "create it: influx -execute 'CREATE DATABASE \"vmstats\" WITH DURATION 30d'");
  check(explained(404, R"({"code":"not found","message":"bucket \"vmstats\" not found"})"), Errc::not_found,
        "https://influx:8086 has no bucket \"vmstats\" (HTTP 404: bucket \"vmstats\" not found)",
        "create it: influx bucket create -n \"vmstats\" -r 30d; and check influx_org");
  check(explained(404, R"({"code":"not found","message":"organization name \"acme\" not found"})"),
        Errc::not_found,
        "https://influx:8086 has no organization \"acme\" (HTTP 404: organization name \"acme\" not found)",
        "set influx_org to the organization's name");
  check(
      explained(302, "moved", target(), "https://login.example/\x1b"), Errc::invalid,
      "https://influx:8086 redirects to another address (HTTP 302, to https://login.example/?)",
      "write that address in influx_url; virtmeter follows no redirect, so that the token goes nowhere else");
}

TEST(InfluxWords, NeverHoldTheToken) {
  const InfluxTarget secret = target("alice:s3cret");
  const Error error =
      explained(401, "bad header: Basic YWxpY2U6czNjcmV0 of alice:s3cret, password s3cret", secret);
  EXPECT_EQ(
      error.message,
      "https://influx:8086 refused the credential (HTTP 401: bad header: Basic *** of ***, password ***)");
  EXPECT_EQ(explained(302, "", secret, "https://login/?of=alice%3As3cret&p=s3cret").message,
            "https://influx:8086 redirects to another address (HTTP 302, to https://login/?of=***&p=***)");
  EXPECT_EQ(explained(302, "", target("t+/="), "/?t=t%2B%2F%3D").message,
            "https://influx:8086 redirects to another address (HTTP 302, to /?t=***)");
}

}  // namespace
}  // namespace virtmeter
