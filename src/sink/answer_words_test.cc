#include "sink/answer_words.h"

#include <gtest/gtest.h>

#include <array>

namespace virtmeter {
namespace {

SaidOfLines read(std::string_view body, std::uint64_t lines = 100) { return read_words(body, "", lines); }

std::string partial3(std::string_view data) {
  return R"({"error":"partial write of line protocol occurred","data":)" + std::string(data) + "}";
}

TEST(AnswerWords, TakesThemOutOfTheJson) {
  EXPECT_EQ(read(R"({"error":"timeout"})").words, "timeout");
  EXPECT_EQ(read(R"({"code":"invalid","message":"no bucket"})").words, "no bucket");
  EXPECT_EQ(read(R"({"error":"parsing","data":{"error_message":"no fields"}})").words, "parsing: no fields");
  EXPECT_EQ(read("plain text").words, "plain text");
  EXPECT_EQ(read_words("{broken", "from the header", 1).words, "from the header");
  EXPECT_EQ(read(R"({"error":{"a":1},"message":7})").words, R"({"error":{"a":1},"message":7})");
  EXPECT_EQ(read("").words, "");
}

TEST(AnswerWords, CountsLostLines) {
  const auto check = [](std::string_view body, std::uint64_t want) {
    EXPECT_EQ(read(body).lost_lines, want) << body;
  };
  check(R"({"error":"partial write: field type conflict dropped=7"})", 7);
  check(R"({"message":"partial write: x dropped=2 for database: a for retention policy: b"})", 2);
  check(R"({"message":"write: partial write: dropped 3 points outside retention policy of duration 1h0m0s"})",
        3);
  // influxd says dropped=0 for lines that it could not parse, and lists them.
  check(R"({"error":"partial write: unable to parse 'a': missing fields dropped=0"})", 1);
  check(R"({"error":"partial write: unable to parse 'a': x\nunable to parse 'b': y dropped=0"})", 2);
  check(R"({"error":"partial write: unable to parse 'unable to parse 'a'': x dropped=0"})", 1);
  check(R"({"error":"partial write: dropped=99999999999999999999999"})", 0);
  check(R"({"error":"partial write: dropped="})", 0);
  check(R"({"error":"nothing of that"})", 0);
}

TEST(AnswerWords, ReadsTheNumbersOfInfluxDb3) {
  const SaidOfLines said =
      read(partial3(R"([{"line_number":5,"error_message":"b"},{"line_number":1,"error_message":"a"}])"));
  EXPECT_TRUE(said.names_all);
  EXPECT_EQ(said.lost_lines, 2u);
  ASSERT_EQ(said.named.size(), 2u);
  EXPECT_EQ(said.named[0].index, 0u);
  EXPECT_EQ(said.named[0].words, "a");
  EXPECT_EQ(said.named[1].index, 4u);
  EXPECT_EQ(said.named[1].words, "b");
}

TEST(AnswerWords, CountsALineOnceThatIsNamedTwice) {
  const SaidOfLines said = read(partial3(R"([{"line_number":5},{"line_number":5}])"));
  EXPECT_EQ(said.lost_lines, 1u);
  EXPECT_EQ(said.named.size(), 1u);
  EXPECT_TRUE(said.names_all);
}

TEST(AnswerWords, NamesOnlyLinesThatWereSent) {
  const auto check = [](std::string_view number) {
    const SaidOfLines said = read(partial3(R"([{"line_number":)" + std::string(number) + "}]"));
    EXPECT_TRUE(said.named.empty()) << number;
    EXPECT_FALSE(said.names_all) << number;
    EXPECT_EQ(said.lost_lines, 1u) << number;
  };
  check("0");
  check("101");
  check("-1");
  check("1.5");
  check("\"1\"");
  check("99999999999999999999999");
  EXPECT_EQ(read(partial3(R"([{"line_number":100}])")).named.at(0).index, 99u);
}

TEST(AnswerWords, SaysWhenSomeLinesAreNotNamed) {
  const SaidOfLines said = read(partial3(R"([{"line_number":1},7,{}])"));
  EXPECT_EQ(said.named.size(), 1u);
  EXPECT_FALSE(said.names_all);
  EXPECT_EQ(said.lost_lines, 3u);
  // An answer that was cut is no JSON any more.
  EXPECT_FALSE(
      read(R"({"error":"partial write of line protocol occurred","data":[{"line_number":1)").names_all);
  EXPECT_FALSE(read(partial3("[]")).names_all);
  EXPECT_FALSE(read(partial3("7")).names_all);
  EXPECT_FALSE(read("[1]").names_all);
}

TEST(AnswerWords, MakesTextHarmless) {
  const std::array<std::string, 2> secrets = {"s3cret", ""};
  EXPECT_EQ(harmless("  token s3crets3cret\x1b[2J\n", secrets, 100), "token ******?[2J");
  EXPECT_EQ(harmless("abcdef", {}, 3), "abc...");
}

}  // namespace
}  // namespace virtmeter
