#include "net/http_problem.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

TEST(HttpProblem, SaysWhatAndWhatToDo) {
  const HttpReply reply = http_problem(404, "there is no page /x", "see /api/v1/status");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.content_type, "application/problem+json");
  EXPECT_EQ(reply.body,
            "{\n  \"type\": \"about:blank\",\n  \"title\": \"Not Found\",\n  \"status\": 404,\n"
            "  \"detail\": \"there is no page /x\",\n  \"fix\": \"see /api/v1/status\"\n}\n");
}

TEST(HttpProblem, SurvivesBytesThatAreNoText) {
  EXPECT_EQ(http_problem(500, "\xFF\"\n", "").body,
            "{\n  \"type\": \"about:blank\",\n  \"title\": \"Internal Server Error\",\n  \"status\": 500,\n"
            "  \"detail\": \"\xEF\xBF\xBD\\\"\\n\"\n}\n");
}

}  // namespace
}  // namespace virtmeter
