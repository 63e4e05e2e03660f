#include "sink/answer.h"

#include <gtest/gtest.h>

#include <array>

namespace virtmeter {
namespace {

Answer judge_of(int status, std::string_view body, std::uint64_t lines = 100) {
  ServerWords words;
  words.status = status;
  words.body = body;
  return judge(words, lines);
}

void check_answer(int status, std::string_view body, Action want, std::string_view cause) {
  const Answer answer = judge_of(status, body);
  EXPECT_EQ(answer.action, want) << status << " " << body;
  EXPECT_EQ(answer.cause, cause) << status << " " << body;
}

// Every row of the table of responses that was collected from real servers and their sources is in this test
// or in one of the next three.
TEST(Answer, KnowsSuccess) {
  check_answer(204, "", Action::deliver, "stored");
  check_answer(200, "EOF", Action::deliver, "stored");
  check_answer(200, "garbage\x01", Action::deliver, "stored");
  check_answer(500, R"({"error":"write failed: hinted handoff queue not empty"})", Action::deliver, "stored");
}

TEST(Answer, KnowsWhatIsSaidOfBadLines) {
  check_answer(400, R"({"error":"partial write: unable to parse 'm': missing fields dropped=0"})",
               Action::deliver_partly, "partial write");
  check_answer(
      400,
      R"({"error":"partial write: field type conflict: input field \"v\" on measurement \"m\" dropped=1"})",
      Action::deliver_partly, "field type conflict");
  check_answer(400, R"({"error":"partial write: points beyond retention policy dropped=3"})",
               Action::deliver_expired, "older than the retention");
  check_answer(400, R"({"error":"partial write: max-series-per-database limit exceeded: (10) dropped=20"})",
               Action::deliver_limited, "series limit");
  check_answer(400, R"({"error":"partial write: max-values-per-tag limit exceeded (1/1): m dropped=2"})",
               Action::deliver_limited, "tag value limit");
  check_answer(
      422,
      R"({"code":"unprocessable entity","message":"failure writing points to database: partial write: dropped 2 )"
      R"(points outside retention policy of duration 1h0m0s - oldest point m at 1970 dropped because it violates )"
      R"(a Retention Policy Lower Bound"})",
      Action::deliver_expired, "older than the retention");
  check_answer(400, R"({"error":"field type conflict"})", Action::resend, "field type conflict");
  check_answer(400, R"({"error":"unable to parse 'm v=': missing field value"})", Action::search,
               "unable to parse");
  check_answer(400, R"({"error":"unexpected EOF"})", Action::resend_plain, "gzip");
  check_answer(400, R"({"error":"gzip: invalid header"})", Action::resend_plain, "gzip");
  check_answer(400, "cannot process influx line protocol data: cannot unmarshal: missing tag value",
               Action::search, "bad request");
  check_answer(400, "too long line: more than 262144 bytes", Action::search, "bad request");
  check_answer(400, R"({"code":"invalid","message":"unable to parse 'm': missing fields"})", Action::search,
               "unable to parse");
  check_answer(
      422,
      R"({"code":"unprocessable entity","message":"failure writing points to database: partial write: field type )"
      R"(conflict dropped=2 for database: 01 for retention policy: autogen"})",
      Action::deliver_partly, "field type conflict");
  check_answer(
      400,
      R"({"error":"partial write of line protocol occurred","data":[{"error_message":"bad","line_number":2,)"
      R"("original_line":"m v"}]})",
      Action::deliver_partly, "partial write");
  check_answer(400,
               R"({"error":"line protocol parsing error","data":{"error_message":"bad","line_number":2}})",
               Action::search, "bad request");
  check_answer(
      400,
      R"({"error":"parsing failed for write_lp endpoint","data":{"error_message":"bad","line_number":2}})",
      Action::search, "bad request");
  check_answer(400, "incoming write was empty", Action::search, "bad request");
  check_answer(
      422,
      R"({"error":"partial write of line protocol occurred","data":[{"error_message":"Update to schema would exceed )"
      R"(number of columns per table limit of 500 columns","line_number":1}]})",
      Action::deliver_limited, "schema limit");
  check_answer(413, R"({"error":"Request Entity Too Large"})", Action::halve, "too large");
}

TEST(Answer, KnowsWhatSomebodyMustMend) {
  check_answer(
      422,
      R"({"error":"partial write of line protocol occurred","data":[{"error_message":"Adding a new database would )"
      R"(exceed limit of 5 databases","line_number":1}]})",
      Action::stop_and_say, "database limit");
  check_answer(401, R"({"error":"authorization failed"})", Action::renew_credential, "credential");
  check_answer(401, "", Action::renew_credential, "credential");
  check_answer(
      400,
      R"({"error":"Authorization header was malformed and should be in the form 'Authorization: Bearer"})",
      Action::renew_credential, "credential");
  check_answer(403, R"({"error":"\"bob\" user is not authorized to write to database \"x\""})",
               Action::renew_credential, "credential");
  check_answer(404, R"({"error":"database not found: \"x\""})", Action::stop_and_say, "no such database");
  check_answer(404, R"({"code":"not found","message":"bucket \"x\" not found"})", Action::stop_and_say,
               "no such bucket");
  check_answer(404, R"({"code":"not found","message":"organization name \"x\" not found"})",
               Action::stop_and_say, "no such organization");
  check_answer(404, "404 page not found\n", Action::stop_and_say, "no such API");
  check_answer(405, "", Action::stop_and_say, "no such API");
  check_answer(415, "", Action::stop_and_say, "no such API");
  check_answer(500, R"({"error":"retention policy not found: x"})", Action::stop_and_say,
               "no retention policy");
}

TEST(Answer, KnowsWhatPasses) {
  check_answer(429, "this service is overloaded, please try again later", Action::retry, "throttled");
  check_answer(500, R"({"error":"timeout"})", Action::retry, "server error");
  check_answer(500, R"({"error":"engine: cache-max-memory-size exceeded: (1/1) bytes"})", Action::retry,
               "server full");
  check_answer(500, R"({"code":"internal error","message":"unable to read data: unexpected EOF"})",
               Action::resend_plain, "gzip");
  check_answer(503, "request throttled, queue full", Action::retry, "overloaded");
  check_answer(503, "request throttled, exceeds timeout", Action::retry, "overloaded");
  check_answer(503,
               "remoteAddr: x; cannot add rows: the storage is in read-only mode; check "
               "-storage.minFreeDiskSpaceBytes",
               Action::retry, "server full");
  check_answer(502, "<html>Bad Gateway</html>", Action::suspect, "gateway");
  check_answer(504, "", Action::suspect, "gateway");
}

TEST(Answer, TakesAWrongAddressForNoFaultOfTheLines) {
  const auto check = [](int status, std::string_view body, std::string_view cause) {
    check_answer(status, body, Action::stop_and_say, cause);
  };
  check(200, "<!DOCTYPE html><title>Log in</title>", "web page");
  check(200, "<!doctype html>", "web page");
  check(200, "\n<html lang=en>", "web page");
  check(301, "", "redirect");
  check(308, "", "redirect");
  check(400, "Client sent an HTTP request to an HTTPS server.\n", "https");
  check(400, "<center>The plain HTTP request was sent to HTTPS port</center>", "https");
  check(400, "remoteAddr: \"127.0.0.1:1\"; unsupported path requested: \"/api/v3/write_lp\"", "no such API");
  check(400, "missing -http.pathPrefix=\"/x\" in the requested path \"/write\"", "no such API");
  check(400, R"({"error":"database is required"})", "no database named");
  check(400, R"({"code":"invalid","message":"Please provide either orgID or org"})", "no organization named");
  check(400, R"({"error":"cannot write to soft-deleted database 'x' - it is marked for deletion"})",
        "database deleted");
  check(404, "<html>nginx</html>", "no such API");
  check(407, "", "refused");
  check(418, "", "refused");
}

TEST(Answer, RetriesWhateverElseHappens) {
  for (const int status : {500, 501, 503, 505, 507, 599}) {
    EXPECT_EQ(judge_of(status, "").action, Action::retry) << status;
  }
  EXPECT_EQ(judge_of(408, "").action, Action::suspect);
  EXPECT_EQ(judge_of(0, "").action, Action::retry);
  EXPECT_EQ(judge_of(999, "").cause, "strange answer");
}

TEST(Answer, HasAFixAndAClauseForEveryTrouble) {
  for (const int status :
       {301, 400, 401, 403, 404, 405, 408, 413, 415, 418, 422, 429, 500, 502, 503, 504, 507}) {
    const Answer answer = judge_of(status, "");
    EXPECT_FALSE(answer.fix.empty()) << status;
    EXPECT_FALSE(answer.clause.empty()) << status;
  }
}

TEST(Answer, CountsLostLinesAsFarAsTheServerSays) {
  const auto check = [](int status, std::string_view body, Action action, std::uint64_t want) {
    const Answer answer = judge_of(status, body);
    EXPECT_EQ(answer.action, action) << body;
    EXPECT_EQ(answer.lost_lines, want) << body;
    EXPECT_FALSE(answer.names_all) << body;
  };
  const Action partly = Action::deliver_partly;
  check(400, R"({"error":"partial write: something new"})", partly, 1);
  check(400, R"({"error":"partial write: x dropped=7"})", partly, 7);
  check(400, R"({"error":"partial write: dropped=99999999999999999999999"})", partly, 1);
  check(400, R"({"error":"partial write: dropped=1000000"})", partly, 100);
  check(400, R"({"error":"partial write: points beyond retention policy dropped=9"})",
        Action::deliver_expired, 9);
  check(400, R"({"error":"partial write: max-series-per-database limit exceeded: (1) dropped=9"})",
        Action::deliver_limited, 9);
  check(400, R"({"error":"unable to parse 'a': x"})", Action::search, 0);
}

TEST(Answer, KnowsTheLinesThatInfluxDb3Names) {
  const std::string data =
      R"("data":[{"error_message":"no fields","line_number":7},{"error_message":"bad tag","line_number":2}]})";
  const Answer answer = judge_of(400, R"({"error":"partial write of line protocol occurred",)" + data);
  EXPECT_EQ(answer.action, Action::deliver_partly);
  EXPECT_EQ(answer.lost_lines, 2u);
  EXPECT_TRUE(answer.names_all);
  ASSERT_EQ(answer.named.size(), 2u);
  EXPECT_EQ(answer.named[0].index, 1u);
  EXPECT_EQ(answer.named[0].words, "bad tag");
  EXPECT_EQ(answer.named[1].index, 6u);

  const Answer nothing_stored =
      judge_of(400, R"({"error":"parsing failed for write_lp endpoint","data":{"line_number":3}})");
  EXPECT_EQ(nothing_stored.action, Action::search);
  EXPECT_EQ(nothing_stored.lost_lines, 0u);
  ASSERT_EQ(nothing_stored.named.size(), 1u);
  EXPECT_EQ(nothing_stored.named[0].index, 2u);
}

TEST(Answer, NamesNoLineWhereTheWholeRequestIsAtFault) {
  EXPECT_TRUE(judge_of(413, R"({"data":[{"line_number":1}]})").named.empty());
  EXPECT_TRUE(judge_of(500, R"({"data":[{"line_number":1}]})").named.empty());
}

TEST(Answer, RepeatsTheServersWords) {
  EXPECT_EQ(judge_of(404, R"({"error":"database not found: \"x\""})").words, "database not found: \"x\"");
  EXPECT_EQ(judge_of(404, R"({"code":"not found","message":"no bucket"})").words, "no bucket");
  EXPECT_EQ(
      judge_of(400, R"({"error":"line protocol parsing error","data":{"error_message":"no fields"}})").words,
      "line protocol parsing error: no fields");
  EXPECT_EQ(judge_of(503, "  request throttled\n").words, "request throttled");

  ServerWords words;
  words.status = 500;
  words.body = "{not json";
  words.error_header = "timeout";
  EXPECT_EQ(judge(words, 1).words, "timeout");
}

TEST(Answer, PrintsHostileWordsHarmlesslyAndBriefly) {
  EXPECT_EQ(judge_of(500, "\x1b[2Jroot\xff\r\nFAKE").words, "?[2Jroot???FAKE");
  EXPECT_EQ(judge_of(500, std::string(100'000, 'x')).words, std::string(kWordsBytesMax, 'x') + "...");
  EXPECT_EQ(judge_of(500, std::string(60'000, '[')).action, Action::retry);
  EXPECT_EQ(judge_of(500, R"({"error":{"error":[]},"message":7})").words,
            R"({"error":{"error":[]},"message":7})");
}

TEST(Answer, NeverRepeatsASecret) {
  const std::array<std::string, 2> secrets = {"t0p/secret", "c2VjcmV0"};
  ServerWords words;
  words.status = 401;
  words.secrets = secrets;
  words.body = R"({"error":"you sent Token t0p\/secret, Basic c2VjcmV0 and t0p/secrett0p/secret"})";
  EXPECT_EQ(judge(words, 1).words, "you sent Token ***, Basic *** and ******");

  words.status = 400;
  words.body = R"({"error":"parsing failed","data":[{"line_number":1,"error_message":"t0p/secret"}]})";
  EXPECT_EQ(judge(words, 1).named.at(0).words, "***");
}

// Servers quote the lines that they refuse, and VMs are named by strangers.
TEST(Answer, IsNotLedAstrayByNames) {
  const auto check = [](std::string_view name) {
    const std::string body =
        R"({"error":"unable to parse 'vm_metrics,name=)" + std::string(name) + R"( v=': bad"})";
    EXPECT_EQ(judge_of(400, body).action, Action::search) << name;
  };
  check(R"(partial\\ write:)");
  check(R"(unexpected\\ EOF)");
  check(R"(gzip:\\ invalid)");
  check(R"(sent\\ to\\ HTTPS\\ port)");
  check(R"(database\\ is\\ required)");
}

}  // namespace
}  // namespace virtmeter
