#include "codec/line_protocol_decoder.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

Point decoded(std::string_view line) {
  Result<Point> point = decode_line(line);
  if (!point) {
    ADD_FAILURE() << line << ": " << point.error().message;
    return {};
  }
  return *point;
}

std::string error_of(std::string_view line) {
  const Result<Point> point = decode_line(line);
  return point ? "accepted" : point.error().message;
}

TEST(LineDecoder, ReadsEveryPartOfALine) {
  EXPECT_EQ(decoded("m,b=2,a=1 i=-5i,u=7u,r=0.25,t=true,s=\"a b\" -17\n"), (Point{"m",
                                                                                  {{"a", "1"}, {"b", "2"}},
                                                                                  {{"i", std::int64_t{-5}},
                                                                                   {"u", std::uint64_t{7}},
                                                                                   {"r", 0.25},
                                                                                   {"t", true},
                                                                                   {"s", std::string("a b")}},
                                                                                  -17}));
}

TEST(LineDecoder, ReadsALineWithoutATimestamp) { EXPECT_EQ(decoded("m v=1").time, std::nullopt); }

TEST(LineDecoder, PassesSpacesBetweenTheParts) {
  EXPECT_EQ(decoded("  m,k=x   v=1i   5  "), (Point{"m", {{"k", "x"}}, {{"v", std::int64_t{1}}}, 5}));
}

TEST(LineDecoder, AcceptsACarriageReturnBeforeTheLineFeed) { EXPECT_EQ(decoded("m v=1 5\r\n").time, 5); }

TEST(LineDecoder, UnescapesOnlyWhatTheGrammarEscapes) {
  EXPECT_EQ(decoded("a\\,b\\ c\\=d v=1").measurement, "a,b c\\=d");
  EXPECT_EQ(decoded("m,a\\,\\=\\ \\x=b\\,\\=\\ \\\\x v=1").tags[0],
            (std::pair<std::string, std::string>("a,= \\x", "b,= \\\\x")));
  EXPECT_EQ(decoded("m a\\,\\=\\ \\x=1").fields[0].first, "a,= \\x");
  EXPECT_EQ(decoded(R"(m v="a\"b\\c\nd")").fields[0].second, FieldValue(std::string(R"(a"b\c\nd)")));
}

TEST(LineDecoder, ReadsNumbers) {
  const auto check = [](std::string_view text, const FieldValue& want) {
    EXPECT_EQ(decoded("m v=" + std::string(text)).fields[0].second, want) << text;
  };
  check("9223372036854775807i", std::int64_t{INT64_MAX});
  check("-9223372036854775808i", std::int64_t{INT64_MIN});
  check("18446744073709551615u", UINT64_MAX);
  check("007i", std::int64_t{7});
  check("1", 1.0);
  check("1.", 1.0);
  check(".5", 0.5);
  check("-1.5e-300", -1.5e-300);
  check("1E+5", 1e5);
  check("1e-400", 0.0);
}

TEST(LineDecoder, ReadsBooleans) {
  for (const char* text : {"t", "T", "true", "True", "TRUE"}) {
    EXPECT_EQ(decoded(std::string("m v=") + text).fields[0].second, FieldValue(true)) << text;
  }
  for (const char* text : {"f", "F", "false", "False", "FALSE"}) {
    EXPECT_EQ(decoded(std::string("m v=") + text).fields[0].second, FieldValue(false)) << text;
  }
}

TEST(LineDecoder, RefusesWhatIsNotANumber) {
  for (const char* text :
       {"+1", "1.0i", "1e3i", "1e", "-", ".", "1_000", "0x1p3", "nan", "inf", "-inf", "1e400", "i",
        "9223372036854775808i", "-1u", "18446744073709551616u", "tRUE", "abc", "'a'"}) {
    EXPECT_EQ(error_of(std::string("m v=") + text), "column 5: expected a field value") << text;
  }
}

TEST(LineDecoder, SaysWhichColumnIsWrong) {
  const auto check = [](std::string_view line, std::string_view want) {
    EXPECT_EQ(error_of(line), want) << line;
  };
  check("", "column 1: expected a measurement");
  check("# comment", "column 1: expected a measurement");
  check(",k=x v=1", "column 1: expected a measurement");
  check("m", "column 2: expected a space and a field");
  check("m,k v=1", "column 4: expected '='");
  check("m, v=1", "column 3: expected a tag key");
  check("m,k= v=1", "column 5: expected a tag value");
  check("m,k=x=y v=1", "column 6: expected a space and a field");
  check("m,k=x,k=y v=1", "column 10: tag key given twice: k");
  check("m ", "column 3: expected a field key");
  check("m v", "column 4: expected '='");
  check("m v= 1", "column 5: expected a field value");
  check("m v=1, w=2", "column 7: expected a field key");
  check("m v=\"abc", "column 6: string without its closing quote");
  check("m v=\"a\"b", "column 8: expected ',', a space or the end");
  check("m v=1 x", "column 7: expected a timestamp or the end");
  check("m v=1 5 6", "column 9: expected a timestamp or the end");
  check("m v=1 9223372036854775808", "column 7: timestamp out of range or not a number");
  check("m v=1 1-2", "column 7: timestamp out of range or not a number");
  check("m v=1\nm v=2", "column 7: expected the end");
}

TEST(LineDecoder, RefusesControlCharactersAndInvalidUtf8) {
  EXPECT_EQ(error_of("m,k=a\tb v=1"), "column 6: control character");
  EXPECT_EQ(error_of("m\x7f v=1"), "column 2: control character");
  EXPECT_EQ(error_of("m,k=a\xFF v=1"), "column 5: invalid UTF-8 in tag value");
  EXPECT_EQ(error_of("m v=\"\xC3\""), "column 6: invalid UTF-8 in string");
}

TEST(LineDecoder, ReadsTheGoodLinesOfATextAroundBadOnes) {
  LineDecoder decoder("# one\n\n  \nm v=1 1\nbad\nm v=\"a\nb\" 2\r\n\r\nm v=3 3");
  std::vector<std::string> seen;
  while (const auto point = decoder.next()) {
    seen.push_back(*point ? std::to_string((*point)->time.value_or(0)) : point->error().message);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "column 4: expected a space and a field", "2", "3"}));
}

}  // namespace
}  // namespace virtmeter
