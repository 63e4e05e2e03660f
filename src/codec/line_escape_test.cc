#include "codec/line_escape.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using Append = void (*)(std::string&, std::string_view);

std::string written(Append append, std::string_view text) {
  std::string out = "before ";
  append(out, text);
  return out.substr(7);
}

TEST(LineEscape, EscapesWhatEndsATagValue) {
  EXPECT_EQ(written(append_tag_value, "a,b=c d"), "a\\,b\\=c\\ d");
  EXPECT_EQ(written(append_tag_value, " x "), "\\ x\\ ");
}

TEST(LineEscape, EscapesWhatEndsATagKeyOrFieldKey) {
  EXPECT_EQ(written(append_tag_key, "a,b=c d"), "a\\,b\\=c\\ d");
  EXPECT_EQ(written(append_field_key, "a,b=c d"), "a\\,b\\=c\\ d");
}

// InfluxDB 1.x cannot select from a measurement whose '=' is escaped.
TEST(LineEscape, LeavesAnEqualsSignInAMeasurement) {
  EXPECT_EQ(written(append_measurement, "a,b=c d"), "a\\,b=c\\ d");
}

TEST(LineEscape, ReplacesABackslashInEveryName) {
  for (const Append append : {append_measurement, append_tag_key, append_tag_value, append_field_key}) {
    EXPECT_EQ(written(append, "C:\\dir\\"), "C:/dir/");
  }
}

TEST(LineEscape, ReplacesControlCharactersEverywhere) {
  const std::string_view text("a\n\r\t\0\x01\x1f\x7f\x20", 9);
  EXPECT_EQ(written(append_tag_value, text), "a_______\\ ");
  EXPECT_EQ(written(append_measurement, text), "a_______\\ ");
  EXPECT_EQ(written(append_string_value, text), "\"a_______ \"");
}

TEST(LineEscape, ReplacesEachByteThatIsNotUtf8) {
  EXPECT_EQ(written(append_tag_value, "a\xFF\xC3z"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(written(append_tag_value, "\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(LineEscape, KeepsOtherUtf8) {
  EXPECT_EQ(written(append_tag_value, "d\xC3\xA9j\xC3\xA0 \xF0\x9F\x98\x80"),
            "d\xC3\xA9j\xC3\xA0\\ \xF0\x9F\x98\x80");
}

TEST(LineEscape, ReplacesAQuoteOnlyWhereAServerLosesTheLine) {
  EXPECT_EQ(written(append_measurement, "a\"b"), "a_b");
  EXPECT_EQ(written(append_field_key, "a\"b"), "a_b");
  EXPECT_EQ(written(append_tag_key, "a\"b"), "a\"b");
  EXPECT_EQ(written(append_tag_value, "a\"b"), "a\"b");
}

TEST(LineEscape, EscapesQuotesAndBackslashesOfAString) {
  EXPECT_EQ(written(append_string_value, "a\"b\\c, =\\"), "\"a\\\"b\\\\c, =\\\\\"");
  EXPECT_EQ(written(append_string_value, ""), "\"\"");
}

TEST(LineEscape, CutsANameAt256BytesBeforeEscapes) {
  EXPECT_EQ(written(append_tag_value, std::string(256, 'x')), std::string(256, 'x'));
  EXPECT_EQ(written(append_tag_value, std::string(257, 'x')), std::string(256, 'x'));
  EXPECT_EQ(written(append_tag_value, std::string(300, ',')).size(), 512u);
}

TEST(LineEscape, CutsBetweenCharacters) {
  EXPECT_EQ(written(append_tag_value, std::string(255, 'x') + "\xC3\xA9"), std::string(255, 'x'));
  EXPECT_EQ(written(append_tag_value, std::string(254, 'x') + "\xC3\xA9"),
            std::string(254, 'x') + "\xC3\xA9");
  EXPECT_EQ(written(append_tag_value, std::string(254, 'x') + "\xFF"), std::string(254, 'x'));
}

TEST(LineEscape, CutsAStringAt64KiB) {
  EXPECT_EQ(written(append_string_value, std::string(70'000, 'x')).size(), 65'536u + 2);
}

TEST(LineEscape, AvoidsKeysThatServersReserve) {
  EXPECT_EQ(written(append_tag_key, "time"), "time_");
  EXPECT_EQ(written(append_tag_key, "db"), "db_");
  EXPECT_EQ(written(append_tag_key, "__name__"), "__name___");
  EXPECT_EQ(written(append_tag_key, "\n_name__"), "__name___");
  EXPECT_EQ(written(append_tag_key, "time_"), "time_");
  EXPECT_EQ(written(append_field_key, "time"), "time_");
  EXPECT_EQ(written(append_field_key, "db"), "db");
}

TEST(LineEscape, KeepsAFieldKeyFromNamingAFamily) {
  EXPECT_EQ(written(append_field_key, "a::b"), "a:_b");
  EXPECT_EQ(written(append_field_key, ":::a:b"), ":_:a:b");
}

TEST(LineEscape, KeepsAMeasurementFromBecomingAComment) {
  EXPECT_EQ(written(append_measurement, "#a#"), "_a#");
  EXPECT_EQ(written(append_measurement, ""), "");
}

TEST(LineEscape, StoresATagKeyWithoutItsEscapes) {
  EXPECT_EQ(stored_tag_key("a,b\\c"), "a,b/c");
  EXPECT_EQ(stored_tag_key("time"), "time_");
}

}  // namespace
}  // namespace virtmeter
