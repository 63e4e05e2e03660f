#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "cli/test_output.h"
#include "net/http_server.h"
#include "web/pages.h"
#include "web/test_report.h"

namespace virtmeter {
namespace {

// A server that answers every request as `handler` does, and `virtmeter status` asking it.
Ran ask(HttpServer::Handler handler, std::vector<const char*> more = {}) {
  const SystemClock clock;
  auto server = HttpServer::open("127.0.0.1:0", std::move(handler), clock);
  EXPECT_TRUE(server);
  std::thread thread([&] { (*server)->run(); });
  const std::string listen = (*server)->address();
  std::vector<const char*> words = {"status", "--config", "/dev/null", "--http-listen", listen.c_str()};
  words.insert(words.end(), more.begin(), more.end());
  Ran ran = run_words(words);
  (*server)->request_stop();
  thread.join();
  return ran;
}

HttpServer::Handler pages_of(const Report& report) {
  return [report](const HttpAsked& asked) { return answer_page(asked, FixedReport(report)); };
}

TEST(StatusCommand, EndsWellWhenAllIsWell) {
  const Ran ran = ask(pages_of(healthy_report()));
  EXPECT_EQ(ran.code, ExitCode::ok);
  EXPECT_NE(ran.out.find("virtmeter  1.2.3, process 4711, up 1m 30s: ready\n"), std::string::npos) << ran.out;
  EXPECT_EQ(ran.err, "");
}

TEST(StatusCommand, EndsAsTemporaryWhenTheDaemonIsNotReady) {
  Report report = healthy_report();
  make_sink_fail(report);
  const Ran ran = ask(pages_of(report));
  EXPECT_EQ(ran.code, ExitCode::temporary);
  EXPECT_NE(ran.out.find("NOT READY"), std::string::npos);
}

TEST(StatusCommand, PrintsTheDaemonsJson) {
  const Ran ran = ask(pages_of(healthy_report()), {"-o", "json"});
  EXPECT_EQ(nlohmann::json::parse(ran.out)["sinks"][0]["delivered"], 70);
}

TEST(StatusCommand, SaysThatNobodyAnswers) {
  const Ran ran = run_words({"status", "--config", "/dev/null", "--http-listen", "127.0.0.1:1"});
  EXPECT_EQ(ran.code, ExitCode::unavailable);
  EXPECT_NE(ran.err.find("no virtmeter answers on 127.0.0.1:1: "), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("fix: start it"), std::string::npos);
  const Ran none = run_words({"status", "--config", "/dev/null", "--http-listen", ""});
  EXPECT_EQ(none.code, ExitCode::unavailable);
}

TEST(StatusCommand, TakesNoOtherServerForADaemon) {
  for (const HttpReply& reply :
       {HttpReply{200, "text/html", "<html>hello</html>"}, HttpReply{404, "text/plain", "no"}}) {
    const Ran ran = ask([&](const HttpAsked&) { return reply; });
    EXPECT_EQ(ran.code, ExitCode::unavailable);
    EXPECT_NE(ran.err.find("is not virtmeter"), std::string::npos) << ran.err;
  }
}

}  // namespace
}  // namespace virtmeter
