#include "sink/influx_sink.h"

#include <gtest/gtest.h>

#include <atomic>

#include "net/test_server.h"
#include "sink/test_delivery.h"
#include "sink/test_lines.h"

namespace virtmeter {
namespace {

using std::chrono::seconds;
using Then = TestReply::Then;

constexpr std::string_view kToken = "s3cret-t0ken";
constexpr std::string_view kPing1 = "X-Influxdb-Version: 1.6.7\r\n";

// A server that answers pings as InfluxDB 1.x does and writes as the test says, with a sink that writes to
// it.
class Fixture {
 public:
  explicit Fixture(TestServer::Handler on_write, InfluxOptions options = {})
      : server_([on_write = std::move(on_write)](const TestRequest& request) {
          return is_write(request) ? on_write(request) : http_reply(204, "", kPing1);
        }) {
    options.url = server_.url();
    options.database = "vmstats";
    if (options.token.empty()) options.token = kToken;
    sink_ = InfluxSink::open(std::move(options), clock_).value();
  }

  explicit Fixture(TestReply reply, InfluxOptions options = {})
      : Fixture([reply = std::move(reply)](const TestRequest&) { return reply; }, std::move(options)) {}

  SendResult send(const std::string& lines, std::uint64_t count) {
    return sink_->send(batch_of(lines, count));
  }

  // The result of sending three small lines, with the server's address as SERVER.
  SendResult send() {
    SendResult result = send(test_lines(0, 3), 3);
    const std::size_t at = result.error.message.find(server_.url());
    if (at != std::string::npos) result.error.message.replace(at, server_.url().size(), "SERVER");
    return result;
  }

  std::vector<TestRequest> writes() {
    std::vector<TestRequest> writes;
    for (TestRequest& request : server_.requests()) {
      if (is_write(request)) writes.push_back(std::move(request));
    }
    return writes;
  }

  std::size_t pings() { return server_.requests().size() - writes().size(); }

  Sink& sink() { return *sink_; }

 private:
  ManualClock clock_;
  TestServer server_;
  std::unique_ptr<Sink> sink_;
};

InfluxOptions with_api(InfluxApi api) {
  InfluxOptions options;
  options.api = api;
  options.org = "acme";
  return options;
}

TEST(InfluxSink, WritesABatchInOneRequest) {
  Fixture fixture(http_reply(204));
  const std::string lines = test_lines(0, 3);
  const SendResult result = fixture.send(lines, 3);
  EXPECT_EQ(result.verdict, Verdict::delivered);
  EXPECT_EQ(result.lost_lines, 0u);
  EXPECT_EQ(result.cost.requests, 1u);
  EXPECT_EQ(result.cost.raw_bytes, lines.size());
  EXPECT_EQ(result.cost.wire_bytes, lines.size());

  ASSERT_EQ(fixture.writes().size(), 1u);
  const TestRequest write = fixture.writes()[0];
  EXPECT_EQ(write.target, "/write?db=vmstats&precision=ns");
  EXPECT_EQ(write.body, lines);
  EXPECT_EQ(write.header("authorization"), "Token s3cret-t0ken");
  EXPECT_EQ(write.header("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(write.header("content-encoding"), "");
}

TEST(InfluxSink, CompressesLargeBatches) {
  Fixture fixture(http_reply(204));
  const std::string lines = test_lines(0, 2000);
  const SendResult result = fixture.send(lines, 2000);
  EXPECT_EQ(result.verdict, Verdict::delivered);
  const TestRequest write = fixture.writes().at(0);
  EXPECT_EQ(write.header("content-encoding"), "gzip");
  EXPECT_EQ(result.cost.wire_bytes, write.body.size());
  EXPECT_LT(write.body.size(), lines.size() / 4);
  EXPECT_EQ(lines_of(write), lines);
}

TEST(InfluxSink, SpeaksEachApi) {
  const auto check = [](InfluxApi api, std::string_view target, std::string_view authorization) {
    Fixture fixture(http_reply(204), with_api(api));
    EXPECT_EQ(fixture.send().verdict, Verdict::delivered);
    EXPECT_EQ(fixture.pings(), 0u);
    EXPECT_EQ(fixture.writes().at(0).target, target);
    EXPECT_EQ(fixture.writes().at(0).header("authorization"), authorization);
  };
  check(InfluxApi::v1, "/write?db=vmstats&precision=ns", "Token s3cret-t0ken");
  check(InfluxApi::v2, "/api/v2/write?org=acme&bucket=vmstats&precision=ns", "Token s3cret-t0ken");
  check(InfluxApi::v3, "/api/v3/write_lp?db=vmstats&precision=nanosecond&accept_partial=true",
        "Bearer s3cret-t0ken");
  check(InfluxApi::victoria_metrics, "/write?db=vmstats&precision=ns", "Bearer s3cret-t0ken");
}

TEST(InfluxSink, UsesOneConnectionAndAsksForTheApiOnce) {
  Fixture fixture(http_reply(204));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(fixture.send().verdict, Verdict::delivered);
  EXPECT_EQ(fixture.pings(), 1u);
  for (const TestRequest& write : fixture.writes()) EXPECT_EQ(write.connection, 1);
}

TEST(InfluxSink, AsksForTheApiAgainAfterALostConnection) {
  int writes = 0;
  Fixture fixture([&](const TestRequest&) {
    ++writes;
    return writes == 2 || writes == 3 ? TestReply{"", Then::close} : http_reply(204);
  });
  EXPECT_EQ(fixture.send().verdict, Verdict::delivered);
  EXPECT_EQ(fixture.pings(), 1u);
  // When a kept connection breaks, curl itself sends once more on a new one; that breaks, too.
  EXPECT_EQ(fixture.send().verdict, Verdict::retry);
  EXPECT_EQ(fixture.writes().size(), 3u);
  EXPECT_EQ(fixture.send().verdict, Verdict::delivered);
  EXPECT_EQ(fixture.pings(), 2u);
}

TEST(InfluxSink, ActsOnEachAnswer) {
  const auto check = [](TestReply reply, Verdict verdict, Errc code, std::string_view message) {
    Fixture fixture(std::move(reply));
    const SendResult result = fixture.send();
    EXPECT_EQ(result.verdict, verdict) << message;
    EXPECT_EQ(result.error.code, code) << message;
    EXPECT_EQ(result.error.message, message);
    EXPECT_FALSE(result.error.fix.empty()) << message;
  };
  check(http_reply(400, "bad line"), Verdict::refused, Errc::invalid,
        "SERVER refused the request (HTTP 400: bad line)");
  check(http_reply(401, R"({"error":"unauthorized"})"), Verdict::stop_and_say, Errc::permission,
        "SERVER refused the credential (HTTP 401: unauthorized)");
  check(http_reply(404, R"({"error":"database not found: \"vmstats\""})"), Verdict::stop_and_say,
        Errc::not_found, "SERVER has no database \"vmstats\" (HTTP 404: database not found: \"vmstats\")");
  check(http_reply(413), Verdict::halve, Errc::limit, "SERVER finds the request too large (HTTP 413)");
  check(http_reply(500, R"({"error":"timeout"})"), Verdict::retry, Errc::unavailable,
        "SERVER failed (HTTP 500: timeout)");
  check(http_reply(503, "request throttled, queue full"), Verdict::retry, Errc::unavailable,
        "SERVER is not ready or overloaded (HTTP 503: request throttled, queue full)");
  check(http_reply(302, "", "Location: /login\r\n"), Verdict::stop_and_say, Errc::invalid,
        "SERVER redirects to another address (HTTP 302, to /login)");
  check({"", Then::close}, Verdict::retry, Errc::io,
        "SERVER: connection closed without an answer (Empty reply from server)");
  check({"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf", Then::close}, Verdict::retry,
        Errc::unavailable, "SERVER failed (HTTP 500: half)");
  check({"HTTP/1.1 204 No\r\nContent-", Then::reset}, Verdict::retry, Errc::io,
        "SERVER: connection lost while waiting for the answer (Recv failure: Connection reset by peer)");
  check({"220 mail.example ESMTP\r\n", Then::close}, Verdict::stop_and_say, Errc::invalid,
        "SERVER: the answer is not HTTP (Received HTTP/0.9 when not allowed)");
}

TEST(InfluxSink, TakesAnySuccessForDelivered) {
  EXPECT_EQ(Fixture(http_reply(200, "\x01garbage")).send().verdict, Verdict::delivered);
  EXPECT_EQ(Fixture(TestReply{"HTTP/1.1 200 OK\r\n\r\n", Then::endless}).send().verdict, Verdict::delivered);
}

TEST(InfluxSink, HonoursRetryAfter) {
  const SendResult seconds_given = Fixture(http_reply(429, "slow down", "Retry-After: 17\r\n")).send();
  EXPECT_EQ(seconds_given.verdict, Verdict::retry);
  EXPECT_EQ(seconds_given.retry_after, seconds(17));
  // ManualClock's wall clock stands at 2023-11-14T22:13:20Z.
  const std::string date = "Retry-After: Tue, 14 Nov 2023 22:14:20 GMT\r\n";
  EXPECT_EQ(Fixture(http_reply(503, "", date)).send().retry_after, seconds(60));
  EXPECT_EQ(Fixture(http_reply(503)).send().retry_after, std::nullopt);
}

TEST(InfluxSink, TellsOfAPartialWrite) {
  const SendResult result =
      Fixture(http_reply(400, R"({"error":"partial write: field type conflict: v dropped=2"})")).send();
  EXPECT_EQ(result.verdict, Verdict::partly);
  EXPECT_EQ(result.lost_lines, 2u);
  EXPECT_EQ(result.cause, "field type conflict");
  EXPECT_EQ(result.status, 400);
  EXPECT_EQ(result.words, "partial write: field type conflict: v dropped=2");
  EXPECT_EQ(result.error.message,
            "SERVER refused some lines (HTTP 400: partial write: field type conflict: v dropped=2)");
}

TEST(InfluxSink, PointsToTheLineThatInfluxDb3Refused) {
  const std::string body =
      R"({"error":"partial write of line protocol occurred","data":[{"error_message":"no fields","line_number":3}]})";
  const SendResult result = Fixture(http_reply(400, body), with_api(InfluxApi::v3)).send();
  EXPECT_EQ(result.verdict, Verdict::delivered);
  EXPECT_EQ(result.lost_lines, 1u);
  ASSERT_EQ(result.named.size(), 1u);
  EXPECT_EQ(result.named[0].index, 2u);
  EXPECT_EQ(result.named[0].words, "no fields");
}

TEST(InfluxSink, SendsAConflictingBatchOnceMoreUnchangedBeforeItSplits) {
  const TestReply conflict = http_reply(400, R"({"error":"field type conflict"})");
  const TestReply partial = http_reply(400, R"({"error":"partial write: field type conflict: v dropped=1"})");
  int writes = 0;
  Fixture settles([&](const TestRequest&) { return ++writes == 1 ? conflict : partial; });
  const SendResult result = settles.send();
  EXPECT_EQ(result.verdict, Verdict::partly);
  EXPECT_EQ(result.lost_lines, 1u);
  EXPECT_EQ(result.cost.requests, 2u);
  EXPECT_EQ(settles.writes().at(0).body, settles.writes().at(1).body);

  Fixture stays(conflict);
  EXPECT_EQ(stays.send().verdict, Verdict::refused);
  EXPECT_EQ(stays.writes().size(), 2u);
}

TEST(InfluxSink, SendsUncompressedWhenTheServerDoesNotUnderstandGzip) {
  Fixture fixture([](const TestRequest& request) {
    return request.header("content-encoding") == "gzip" ? http_reply(400, R"({"error":"unexpected EOF"})")
                                                        : http_reply(204);
  });
  const std::string lines = test_lines(0, 100);
  EXPECT_EQ(fixture.send(lines, 100).verdict, Verdict::delivered);
  EXPECT_EQ(lines_of(fixture.writes().at(0)), lines);
  EXPECT_EQ(fixture.writes().at(1).body, lines);
}

TEST(InfluxSink, SplitsABatchOverWhichTheConnectionIsLostAgainAndAgain) {
  Fixture fixture(TestReply{"", Then::close});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(fixture.send().verdict, Verdict::retry);
  const std::size_t writes = fixture.writes().size();
  const SendResult result = fixture.send();
  EXPECT_EQ(result.verdict, Verdict::halve);
  EXPECT_EQ(result.cause, "connection lost over it");
  EXPECT_EQ(
      result.error.message,
      "SERVER: connection closed without an answer (Empty reply from server), again and again over the same "
      "lines, though it answers otherwise");
  EXPECT_EQ(fixture.writes().size(), writes);
}

TEST(InfluxSink, CountsAGatewaysTimeoutAsALostConnection) {
  Fixture fixture(http_reply(504, "", "Retry-After: 5\r\n"));
  for (int i = 0; i < 5; ++i) {
    const SendResult result = fixture.send();
    EXPECT_EQ(result.verdict, Verdict::retry);
    EXPECT_EQ(result.retry_after, seconds(5));
  }
  const SendResult result = fixture.send();
  EXPECT_EQ(result.verdict, Verdict::halve);
  EXPECT_EQ(result.error.message,
            "SERVER is behind a proxy that waited too long for it (HTTP 504), again and again over the same "
            "lines, though it answers otherwise");
}

TEST(InfluxSink, BlamesNoBatchForAServerThatDoesNotAnswerAtAll) {
  ManualClock clock;
  TestServer server([](const TestRequest&) { return TestReply{"", Then::close}; });
  InfluxOptions options = with_api(InfluxApi::v1);
  options.url = server.url();
  options.database = "vmstats";
  const auto sink = InfluxSink::open(options, clock).value();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(sink->send(batch_of("a v=1\n", 1)).verdict, Verdict::retry);
}

TEST(InfluxSink, RetriesWhileTheServerIsAway) {
  std::string url;
  {
    TestServer server([](const TestRequest&) { return http_reply(204); });
    url = server.url();
  }
  ManualClock clock;
  InfluxOptions options;
  options.url = url;
  options.database = "vmstats";
  const auto sink = InfluxSink::open(options, clock).value();
  const SendResult result = sink->send(batch_of("a v=1\n", 1));
  EXPECT_EQ(result.verdict, Verdict::retry);
  EXPECT_EQ(result.error.code, Errc::unavailable);
  EXPECT_EQ(result.error.message, url + ": connection refused");
  const Status status = sink->check();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::unavailable);
}

TEST(InfluxSink, ChecksWithoutStoringAnything) {
  Fixture good(http_reply(204));
  EXPECT_TRUE(good.sink().check());
  EXPECT_EQ(good.writes().at(0).body, "");
  EXPECT_TRUE(
      Fixture(http_reply(400, R"({"code":"invalid","message":"writing requires points"})")).sink().check());
  EXPECT_TRUE(Fixture(http_reply(400, "incoming write was empty"), with_api(InfluxApi::v3)).sink().check());

  Fixture missing(http_reply(404, R"({"error":"database not found: \"vmstats\""})"));
  const Status status = missing.sink().check();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::not_found);
  EXPECT_EQ(status.error().fix, "create it: influx -execute 'CREATE DATABASE \"vmstats\" WITH DURATION 30d'");
  EXPECT_FALSE(Fixture(http_reply(403)).sink().check());
  EXPECT_FALSE(Fixture(http_reply(500)).sink().check());
}

TEST(InfluxSink, ReadsTheTokenAgainWhenItIsRefused) {
  std::string file = "old";
  int reads = 0;
  InfluxOptions options = with_api(InfluxApi::v1);
  options.token = "old";
  options.read_token = [&]() -> Result<std::string> {
    ++reads;
    return file;
  };
  Fixture fixture(
      [](const TestRequest& request) {
        return http_reply(request.header("authorization") == "Token new" ? 204 : 401);
      },
      options);
  EXPECT_EQ(fixture.send().verdict, Verdict::stop_and_say);
  EXPECT_EQ(fixture.writes().size(), 1u);
  file = "new";
  EXPECT_EQ(fixture.send().verdict, Verdict::delivered);
  EXPECT_EQ(fixture.writes().size(), 3u);
  EXPECT_EQ(fixture.send().verdict, Verdict::delivered);
  EXPECT_EQ(reads, 2);
}

TEST(InfluxSink, KeepsItsTokenWhereNoUsableOneIsToBeRead) {
  const auto check = [](Result<std::string> token) {
    InfluxOptions options = with_api(InfluxApi::v1);
    options.read_token = [&] { return token; };
    Fixture fixture(http_reply(401), options);
    EXPECT_EQ(fixture.send().verdict, Verdict::stop_and_say);
    ASSERT_EQ(fixture.writes().size(), 1u);
    EXPECT_EQ(fixture.writes()[0].header("authorization"), "Token s3cret-t0ken");
  };
  check(Error{Errc::not_found, "no file", "make one"});
  check(std::string());
  check(std::string("two\nlines"));
  check(std::string(kToken));
}

TEST(InfluxSink, SaysOnceThatItsTokenCannotBeReadAgain) {
  const LogCapture log;
  InfluxOptions options = with_api(InfluxApi::v1);
  options.read_token = [] { return Error{Errc::not_found, "no file", "make one"}; };
  Fixture fixture(http_reply(401), options);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fixture.send().verdict, Verdict::stop_and_say);
  EXPECT_EQ(log.lines(),
            std::vector<std::string>{
                "warning the credential was refused and cannot be read again: no file; fix: make one"});
}

// A VictoriaMetrics that is started anew at each "restart": its connections break, and /metrics tells another
// start time, where it tells one.
class Victoria {
 public:
  explicit Victoria(bool has_metrics)
      : server_([this, has_metrics](const TestRequest& request) {
          TestReply reply = http_reply(204, "", "X-Server-Hostname: victoria\r\n");
          if (request.target == "/metrics") {
            ++metrics_read;
            const std::string start = "process_start_time_seconds " + std::to_string(1000 + restarts) + "\n";
            reply = has_metrics ? http_reply(200, start) : http_reply(404);
          }
          if (fails) return TestReply{"", Then::reset};
          if (closes) reply.then = Then::close;
          return reply;
        }) {
    InfluxOptions options = with_api(InfluxApi::victoria_metrics);
    options.url = server_.url();
    options.database = "vmstats";
    sink_ = InfluxSink::open(std::move(options), clock_).value();
  }

  SendResult send() { return sink_->send(batch_of("a v=1\n", 1)); }

  std::atomic<int> restarts{0};
  std::atomic<int> metrics_read{0};
  std::atomic<bool> fails{false};
  std::atomic<bool> closes{false};

 private:
  ManualClock clock_;
  TestServer server_;
  std::unique_ptr<Sink> sink_;
};

TEST(InfluxSink, AsksForAReplayWhenVictoriaMetricsIsAnotherProcess) {
  Victoria victoria(true);
  EXPECT_FALSE(victoria.send().replay);
  EXPECT_FALSE(victoria.send().replay);
  EXPECT_EQ(victoria.metrics_read, 1) << "only a new connection can lead to another process";
  victoria.closes = true;
  EXPECT_FALSE(victoria.send().replay);
  victoria.closes = false;
  victoria.restarts = 1;
  const SendResult result = victoria.send();
  EXPECT_EQ(result.verdict, Verdict::delivered);
  EXPECT_TRUE(result.replay);
  EXPECT_FALSE(victoria.send().replay);
}

TEST(InfluxSink, AsksForNoReplayAfterATroubleOfTheNetwork) {
  Victoria victoria(true);
  EXPECT_FALSE(victoria.send().replay);
  victoria.fails = true;
  EXPECT_EQ(victoria.send().verdict, Verdict::retry);
  victoria.fails = false;
  const SendResult result = victoria.send();
  EXPECT_EQ(result.verdict, Verdict::delivered);
  EXPECT_FALSE(result.replay);
}

TEST(InfluxSink, TakesALostConnectionForARestartWhereNoStartTimeIsToBeHad) {
  Victoria victoria(false);
  EXPECT_FALSE(victoria.send().replay);
  victoria.fails = true;
  EXPECT_EQ(victoria.send().verdict, Verdict::retry);
  victoria.fails = false;
  EXPECT_TRUE(victoria.send().replay);
  EXPECT_FALSE(victoria.send().replay);
}

TEST(InfluxSink, AsksForNoReplayOfInfluxDb) {
  int writes = 0;
  Fixture fixture([&](const TestRequest&) {
    const bool lost = ++writes == 2 || writes == 3;
    return lost ? TestReply{"", Then::reset} : http_reply(204, "", kPing1);
  });
  EXPECT_FALSE(fixture.send().replay);
  EXPECT_EQ(fixture.send().verdict, Verdict::retry);
  const SendResult result = fixture.send();
  EXPECT_EQ(result.verdict, Verdict::delivered);
  EXPECT_FALSE(result.replay);
}

TEST(InfluxSink, NeverShowsTheToken) {
  Fixture fixture([](const TestRequest& request) {
    return http_reply(401, "you sent " + request.header("authorization"), "X-Influxdb-Error: no\r\n");
  });
  const SendResult result = fixture.send();
  EXPECT_EQ(result.error.message, "SERVER refused the credential (HTTP 401: no)");
  EXPECT_EQ(result.error.message.find(kToken), std::string::npos);
  EXPECT_EQ(fixture.sink().target().find(kToken), std::string::npos);

  Fixture echo([](const TestRequest& request) {
    return http_reply(500, "you sent " + request.header("authorization"));
  });
  EXPECT_EQ(echo.send().error.message, "SERVER failed (HTTP 500: you sent Token ***)");
}

TEST(InfluxSink, RefusesSettingsThatCannotWork) {
  ManualClock clock;
  const auto check = [&](const std::function<void(InfluxOptions&)>& spoil, std::string_view want) {
    InfluxOptions options;
    options.url = "http://influx:8086";
    options.database = "vmstats";
    options.token = kToken;
    spoil(options);
    const auto sink = InfluxSink::open(options, clock);
    ASSERT_FALSE(sink) << want;
    EXPECT_EQ(sink.error().code, Errc::invalid);
    EXPECT_EQ(sink.error().message, want);
    EXPECT_FALSE(sink.error().fix.empty());
  };
  check([](auto& options) { options.url = "influx:8086"; },
        "influx_url: url influx:8086: Unsupported number of slashes following scheme");
  check([](auto& options) { options.url = "http://bob:pw@influx"; },
        "influx_url: url ...@influx: holds a user name or password");
  check([](auto& options) { options.database = ""; }, "influx_db: is empty");
  check([](auto& options) { options.api = InfluxApi::v2; }, "influx_org: is empty");
  check([](auto& options) { options.token = "two\nlines"; },
        "influx_token: holds a control character or is no UTF-8");
}

}  // namespace
}  // namespace virtmeter
