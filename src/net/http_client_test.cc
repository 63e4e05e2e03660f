#include "net/http_client.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <thread>

#include "net/test_server.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using Then = TestReply::Then;

HttpRequest get(const std::string& url) { return {HttpMethod::get, url, {}, {}}; }

// The error of one exchange with a server that answers every request with `reply`.
Error error_of(TestReply reply, HttpOptions options = {}) {
  TestServer server([&](const TestRequest&) { return reply; });
  HttpClient client(std::move(options));
  const Result<HttpResponse> response = client.send(get(server.url() + "/ping"));
  if (response) return {Errc::limit, "no error", ""};
  Error error = response.error();
  const std::size_t at = error.message.find(server.url());
  if (at != std::string::npos) error.message.replace(at, server.url().size(), "SERVER");
  return error;
}

TEST(HttpClient, SendsWhatItIsTold) {
  TestServer server([](const TestRequest&) { return http_reply(204); });
  HttpClient client({});
  const std::string body = "a v=1\nb v=2\n";
  const auto response = client.send({HttpMethod::post,
                                     server.url() + "/write?db=x",
                                     {{"Authorization", "Token secret"}, {"Content-Type", "text/plain"}},
                                     body});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 204);

  const TestRequest request = server.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/write?db=x");
  EXPECT_EQ(request.body, body);
  EXPECT_EQ(request.header("authorization"), "Token secret");
  EXPECT_EQ(request.header("content-type"), "text/plain");
  EXPECT_EQ(request.header("user-agent"), "virtmeter/" VIRTMETER_VERSION);
  EXPECT_EQ(request.headers.count("expect"), 0u);
}

TEST(HttpClient, AsksForNoPermissionToSendALargeBody) {
  TestServer server([](const TestRequest&) { return http_reply(204); });
  HttpClient client({});
  const std::string body(2u << 20, 'x');
  ASSERT_TRUE(client.send({HttpMethod::post, server.url(), {}, body}));
  EXPECT_EQ(server.requests().at(0).headers.count("expect"), 0u);
  EXPECT_EQ(server.requests().at(0).body, body);
}

TEST(HttpClient, SendsAnEmptyBodyAsOne) {
  TestServer server([](const TestRequest&) { return http_reply(204); });
  HttpClient client({});
  ASSERT_TRUE(client.send({HttpMethod::post, server.url(), {}, {}}));
  EXPECT_EQ(server.requests().at(0).header("content-length"), "0");
}

TEST(HttpClient, KeepsBodyAndWantedHeaders) {
  TestServer server([](const TestRequest&) {
    return http_reply(
        400, "{\"error\":\"no\"}",
        "x-influxdb-version: 1.6.7\r\nRETRY-AFTER:  7 \r\nSet-Cookie: a=b\r\nX-Influxdb-Error: no\r\n");
  });
  HttpClient client({});
  const auto response = client.send(get(server.url()));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 400);
  EXPECT_EQ(response->body, "{\"error\":\"no\"}");
  EXPECT_FALSE(response->body_cut);
  EXPECT_EQ(response->header("X-Influxdb-Version"), "1.6.7");
  EXPECT_EQ(response->header("retry-after"), "7");
  EXPECT_EQ(response->header("x-influxdb-error"), "no");
  EXPECT_EQ(response->header("Set-Cookie"), "");
  EXPECT_EQ(response->headers.size(), 3u);
}

TEST(HttpClient, TakesTheLastAnswersHeaders) {
  TestServer server([](const TestRequest&) {
    TestReply reply = http_reply(204, "", "X-Influxdb-Version: 2.7.1\r\n");
    reply.bytes = "HTTP/1.1 102 Processing\r\nX-Influxdb-Version: 1.6.7\r\n\r\n" + reply.bytes;
    return reply;
  });
  HttpClient client({});
  const auto response = client.send(get(server.url()));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 204);
  EXPECT_EQ(response->header("X-Influxdb-Version"), "2.7.1");
}

TEST(HttpClient, KeepsItsConnection) {
  TestServer server([](const TestRequest&) { return http_reply(200, "ok"); });
  HttpClient client({});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.send({HttpMethod::post, server.url(), {}, "x"}));
  for (const TestRequest& request : server.requests()) EXPECT_EQ(request.connection, 1);
  EXPECT_EQ(server.requests().size(), 5u);
}

TEST(HttpClient, FollowsNoRedirect) {
  TestServer server(
      [](const TestRequest&) { return http_reply(307, "", "Location: http://127.0.0.1:1/\r\n"); });
  HttpClient client({});
  const auto response = client.send(get(server.url()));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 307);
  EXPECT_EQ(response->header("Location"), "http://127.0.0.1:1/");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(HttpClient, CutsAnEndlessAnswer) {
  TestServer server([](const TestRequest&) { return TestReply{"HTTP/1.1 200 OK\r\n\r\n", Then::endless}; });
  HttpOptions options;
  options.response_bytes_max = 1000;
  HttpClient client(options);
  const auto response = client.send(get(server.url()));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_TRUE(response->body_cut);
  EXPECT_EQ(response->body, std::string(1000, 'x'));
}

TEST(HttpClient, TellsRefusedConnectionsApart) {
  std::string url;
  {
    TestServer server([](const TestRequest&) { return http_reply(204); });
    url = server.url();
  }
  HttpClient client({});
  const auto response = client.send(get(url + "/ping"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::unavailable);
  EXPECT_EQ(response.error().message, url + ": connection refused");
}

TEST(HttpClient, TellsUnknownHostsApart) {
  setenv("no_proxy", "*", 1);
  HttpClient client({});
  const auto response = client.send(get("http://nowhere.invalid:8086/ping"));
  unsetenv("no_proxy");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::unavailable);
  EXPECT_EQ(response.error().message,
            "http://nowhere.invalid:8086: host name not found (Could not resolve host: nowhere.invalid)");
}

TEST(HttpClient, TellsLostConnectionsApart) {
  const auto check = [](TestReply reply, Errc code, std::string_view want) {
    const Error error = error_of(std::move(reply));
    EXPECT_EQ(error.code, code) << want;
    EXPECT_EQ(error.message, want);
    EXPECT_FALSE(error.fix.empty());
  };
  check({"", Then::close}, Errc::io, "SERVER: connection closed without an answer (Empty reply from server)");
  check({"", Then::reset}, Errc::io,
        "SERVER: connection lost while waiting for the answer (Recv failure: Connection reset by peer)");
  check({"HTTP/1.1 200 OK\r\nContent-Len", Then::reset}, Errc::io,
        "SERVER: connection lost while waiting for the answer (Recv failure: Connection reset by peer)");
  check({"HTTP/1.1 100 Continue\r\n\r\n", Then::reset}, Errc::io,
        "SERVER: connection lost while waiting for the answer (Recv failure: Connection reset by peer)");
  check({"SSH-2.0-OpenSSH_9.2\r\n", Then::close}, Errc::invalid,
        "SERVER: the answer is not HTTP (Received HTTP/0.9 when not allowed)");
}

TEST(HttpClient, GivesUpOnASlowServer) {
  HttpOptions options;
  options.total_timeout = milliseconds(100);
  for (const char* head : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"}) {
    const Error error = error_of({head, Then::stall}, options);
    EXPECT_EQ(error.code, Errc::io);
    EXPECT_EQ(error.message, "SERVER: no answer after 100ms");
  }
}

TEST(HttpClient, GivesUpOnATransferThatHardlyMoves) {
  HttpOptions options;
  options.stall_timeout = std::chrono::seconds(1);
  const Error error = error_of({"HTTP/1.1 200 OK\r\nX-Slow: ", Then::drip}, options);
  EXPECT_EQ(error.code, Errc::io);
  EXPECT_EQ(error.message, "SERVER: no answer after 1s");
}

TEST(HttpClient, TakesAnAnswerWhoseHeadCameWhole) {
  const auto check = [](TestReply reply, std::string_view body) {
    TestServer server([&](const TestRequest&) { return reply; });
    HttpOptions options;
    options.total_timeout = milliseconds(200);
    const auto response = HttpClient(options).send(get(server.url()));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 503);
    EXPECT_TRUE(response->body_cut);
    EXPECT_TRUE(response->body.starts_with(body)) << response->body;
    EXPECT_EQ(response->header("Retry-After"), "7");
  };
  const std::string head = "HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 1000\r\n\r\n";
  check({head + "half", Then::close}, "half");
  check({head + "half", Then::reset}, "");
  check({head, Then::stall}, "");
  check({head, Then::drip}, "x");
}

TEST(HttpClient, ReadsAnAnswerThatComesBeforeTheBodyIsSent) {
  TestServer server(
      [](const TestRequest&) {
        TestReply reply = http_reply(413, "too large", "Connection: close\r\n");
        reply.then = Then::close;
        return reply;
      },
      [](const TestRequest&) { return true; });
  const std::string body(8u << 20, 'x');
  const auto response = HttpClient({}).send({HttpMethod::post, server.url(), {}, body});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 413);
}

TEST(HttpClient, MayTakeALongerAnswerToOneRequest) {
  TestServer server([](const TestRequest&) { return http_reply(200, std::string(5000, 'x')); });
  HttpOptions options;
  options.response_bytes_max = 1000;
  HttpClient client(options);
  HttpRequest request = get(server.url());
  EXPECT_EQ(client.send(request)->body.size(), 1000u);
  request.response_bytes_max = 2000;
  EXPECT_EQ(client.send(request)->body.size(), 2000u);
}

TEST(HttpClient, CountsItsConnections) {
  TestServer server([](const TestRequest& request) {
    TestReply reply = http_reply(204);
    if (request.target == "/last") reply.then = Then::close;
    return reply;
  });
  HttpClient client({});
  const auto count_after = [&](const std::string& target) {
    EXPECT_TRUE(client.send(get(server.url() + target)));
    return client.connections_made();
  };
  EXPECT_EQ(count_after("/"), 1u);
  EXPECT_EQ(count_after("/"), 1u);
  EXPECT_EQ(count_after("/last"), 1u);
  EXPECT_EQ(count_after("/"), 2u);
  EXPECT_EQ(count_after("/"), 2u);
}

TEST(HttpClient, ContinuesAfterALostConnection) {
  TestServer server([](const TestRequest& request) {
    return request.target == "/bad" ? TestReply{"", Then::reset} : http_reply(204);
  });
  HttpClient client({});
  EXPECT_TRUE(client.send(get(server.url() + "/good")));
  EXPECT_FALSE(client.send(get(server.url() + "/bad")));
  EXPECT_TRUE(client.send(get(server.url() + "/good")));
}

TEST(HttpClient, SaysThatTheRequestMayHaveArrivedBeforeTheServerDied) {
  TestServer server([](const TestRequest& request) {
    return request.target == "/bad" ? TestReply{"", Then::die} : http_reply(204);
  });
  HttpClient client({});
  EXPECT_TRUE(client.send(get(server.url() + "/good")));
  const auto response = client.send(get(server.url() + "/bad"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::io);
  EXPECT_EQ(response.error().message, server.url() + ": connection lost, and then none to be had");
}

TEST(HttpClient, IsCancelledFromAnotherThread) {
  TestServer server([](const TestRequest&) { return TestReply{"", Then::stall}; });
  HttpClient client({});
  std::thread canceller([&] {
    server.wait_for_requests(1);
    client.cancel();
  });
  const auto response = client.send(get(server.url()));
  canceller.join();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::unavailable);
  EXPECT_EQ(response.error().message, server.url() + ": cancelled because virtmeter stops");

  const auto later = client.send(get(server.url()));
  ASSERT_FALSE(later);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(HttpClient, RefusesAHeaderWithALineBreakAndDoesNotRepeatIt) {
  HttpClient client({});
  const auto response =
      client.send({HttpMethod::get, "http://127.0.0.1:1/", {{"Authorization", "Token secret\r\nX: y"}}, {}});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::invalid);
  EXPECT_EQ(response.error().message, "http://127.0.0.1:1: header Authorization holds a control character");
  EXPECT_EQ(response.error().fix, "look for a line break inside the token or its file");
}

TEST(HttpClient, RefusesOtherSchemes) {
  HttpClient client({});
  const auto response = client.send(get("file:///etc/passwd"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message, "url file:///etc/passwd: neither http nor https");
}

TEST(HttpClient, UsesTheEnvironmentsProxyButNotForLoopback) {
  TestServer proxy([](const TestRequest&) { return http_reply(203, "from the proxy"); });
  TestServer server([](const TestRequest&) { return http_reply(200, "from the server"); });
  setenv("http_proxy", proxy.url().c_str(), 1);
  HttpClient client({});
  const auto far = client.send(get("http://influx.example:8086/ping"));
  const auto near = client.send(get(server.url() + "/ping"));
  unsetenv("http_proxy");
  ASSERT_TRUE(far) << far.error().message;
  EXPECT_EQ(far->body, "from the proxy");
  EXPECT_EQ(proxy.requests().at(0).target, "http://influx.example:8086/ping");
  ASSERT_TRUE(near) << near.error().message;
  EXPECT_EQ(near->body, "from the server");
}

}  // namespace
}  // namespace virtmeter
