#include "web/pages.h"

#include <gtest/gtest.h>

#include "web/test_report.h"

namespace virtmeter {
namespace {

HttpReply ask(std::string_view path, const Report& report) {
  return answer_page({path}, FixedReport(report));
}

TEST(Pages, SayThatTheProcessLivesWhateverFails) {
  Report report = healthy_report();
  EXPECT_EQ(ask("/health", report).status, 200);
  make_sink_fail(report);
  report.collector.last_cycle_age.reset();
  EXPECT_EQ(ask("/health", report).status, 200);
}

TEST(Pages, SayReadyOnlyWhenNothingFails) {
  Report report = healthy_report();
  EXPECT_EQ(ask("/ready", report).status, 200);
  make_sink_fail(report);
  const HttpReply reply = ask("/ready", report);
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_NE(reply.body.find("\"fix\": \"start the database\""), std::string::npos);
}

TEST(Pages, GiveTheStatusReadyOrNot) {
  Report report = healthy_report();
  make_sink_fail(report);
  const HttpReply reply = ask("/api/v1/status", report);
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find("\"ready\": false"), std::string::npos);
}

TEST(Pages, RefuseEveryOtherPathAsAProblem) {
  for (const std::string_view path : {"", "/", "/health/", "/HEALTH", "/api/v1/status/..", "/api"}) {
    const HttpReply reply = ask(path, healthy_report());
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(reply.content_type, "application/problem+json");
  }
  EXPECT_NE(ask("/x\n", healthy_report()).body.find("there is no page /x?"), std::string::npos);
  EXPECT_NE(ask("/x", healthy_report()).body.find("there are: /health, /ready, /api/v1/status"),
            std::string::npos);
}

}  // namespace
}  // namespace virtmeter
