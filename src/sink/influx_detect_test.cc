#include "sink/influx_detect.h"

#include <gtest/gtest.h>

#include "net/test_server.h"

namespace virtmeter {
namespace {

using Then = TestReply::Then;

struct Outcome {
  std::string api;  // Or "error".
  Error error;
  std::vector<TestRequest> requests;
};

Outcome detect(const TestServer::Handler& handler, std::string token = "", std::string path = "") {
  TestServer server(handler);
  HttpClient client({});
  const InfluxTarget target{parse_url(server.url() + path).value(), "vmstats", "", std::move(token)};
  const Result<InfluxApi> api = detect_influx_api(client, target);
  Outcome outcome{api ? std::string(name_of(*api)) : "error", api ? Error{} : api.error(), server.requests()};
  const std::size_t at = outcome.error.message.find(server.url());
  if (at != std::string::npos) outcome.error.message.replace(at, server.url().size(), "SERVER");
  return outcome;
}

TestServer::Handler always(TestReply reply) {
  return [reply](const TestRequest&) { return reply; };
}

TEST(InfluxDetect, AsksForPingWithoutTheCredential) {
  const Outcome outcome =
      detect(always(http_reply(204, "", "X-Influxdb-Version: 1.6.7\r\n")), "t0ken", "/tsdb/");
  EXPECT_EQ(outcome.api, "v1");
  ASSERT_EQ(outcome.requests.size(), 1u);
  EXPECT_EQ(outcome.requests[0].method, "GET");
  EXPECT_EQ(outcome.requests[0].target, "/tsdb/ping");
  EXPECT_EQ(outcome.requests[0].header("authorization"), "");
}

TEST(InfluxDetect, TellsTheProductsApart) {
  EXPECT_EQ(detect(always(http_reply(204, "", "X-Influxdb-Version: v2.7.1\r\n"))).api, "v2");
  EXPECT_EQ(detect(always(http_reply(200, "{}", "cluster-uuid: a-b\r\nx-influxdb-version: 3.10.0\r\n"))).api,
            "v3");
  EXPECT_EQ(detect(always(http_reply(204, "", "X-Server-Hostname: tsdb1\r\n"))).api, "victoria_metrics");
}

TEST(InfluxDetect, KnowsInfluxDb3ByItsRefusal) {
  const Outcome outcome = detect(always(http_reply(401, "", "cluster-uuid: a-b\r\n")), "t0ken");
  EXPECT_EQ(outcome.api, "v3");
  EXPECT_EQ(outcome.requests.size(), 1u);
}

TEST(InfluxDetect, ShowsTheCredentialToAGate) {
  const auto gate = [](const TestRequest& request) {
    return request.header("authorization") == "Basic YWxpY2U6czNjcmV0"
               ? http_reply(204, "", "X-Influxdb-Version: 1.12.0\r\n")
               : http_reply(401, "");
  };
  EXPECT_EQ(detect(gate, "alice:s3cret").api, "v1");

  const Outcome refused = detect(gate, "alice:wrong");
  EXPECT_EQ(refused.api, "error");
  EXPECT_EQ(refused.error.code, Errc::permission);
  EXPECT_EQ(refused.error.message, "SERVER refused the credential (HTTP 401), asked for /ping");
  EXPECT_EQ(refused.requests.size(), 2u);

  EXPECT_EQ(detect(gate, "").requests.size(), 1u);
}

TEST(InfluxDetect, DoesNotGuess) {
  const Outcome silent = detect(always(http_reply(204)));
  EXPECT_EQ(silent.error.code, Errc::invalid);
  EXPECT_EQ(silent.error.message, "SERVER does not say which product it is (GET /ping, HTTP 204)");
  EXPECT_EQ(silent.error.fix, "set influx_api to v1, v2 or v3; VictoriaMetrics takes v1");

  const Outcome elsewhere = detect(always(http_reply(404, "<html>nginx</html>")));
  EXPECT_EQ(elsewhere.error.code, Errc::invalid);
  EXPECT_EQ(elsewhere.error.message,
            "SERVER has no such API (HTTP 404: <html>nginx</html>), asked for /ping");

  EXPECT_EQ(detect(always(http_reply(503, "starting"))).error.code, Errc::unavailable);
  EXPECT_EQ(detect(always({"", Then::close})).error.code, Errc::io);
}

}  // namespace
}  // namespace virtmeter
