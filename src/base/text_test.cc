#include "base/text.h"

#include <gtest/gtest.h>

#include <array>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Utf8, AcceptsExactlyTheSequencesOfRfc3629) {
  const auto check = [](std::string_view text, std::size_t want) {
    EXPECT_EQ(utf8_sequence_length(text), want) << printable(text);
  };
  check("a", 1);
  check("\xC3\xA9", 2);
  check("\xE2\x82\xAC", 3);
  check("\xF0\x9F\x98\x80", 4);
  check("\x80", 0);              // A continuation byte alone.
  check("\xC0\xAF", 0);          // Overlong '/'.
  check("\xE0\x80\x80", 0);      // Overlong.
  check("\xED\xA0\x80", 0);      // Surrogate.
  check("\xF4\x90\x80\x80", 0);  // Above U+10FFFF.
  check("\xE2\x82", 0);          // Cut short.
  check("\xFF", 0);
}

TEST(Printable, ReplacesWhatCouldSteerATerminal) {
  EXPECT_EQ(printable("a\x1b[31m\nb\xFF\xC2\x85"), "a?[31m?b??");
  EXPECT_EQ(printable("d\xC3\xA9j\xC3\xA0"), "d\xC3\xA9j\xC3\xA0");
}

TEST(Printable, CutsLongText) { EXPECT_EQ(printable("abcdef", 3), "abc..."); }

TEST(EditDistance, CountsASwapAsOneEdit) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", "abc"), 0u);
  EXPECT_EQ(edit_distance("abc", "acb"), 1u);
  EXPECT_EQ(edit_distance("intervall", "interval"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
}

TEST(Nearest, OffersOnlyWhatIsReallyNear) {
  constexpr std::array<std::string_view, 3> kKeys = {"poll_interval", "influx_url", "log_level"};
  EXPECT_EQ(nearest("pol_interval", kKeys), "poll_interval");
  EXPECT_EQ(nearest("influx_ulr", kKeys), "influx_url");
  EXPECT_EQ(nearest("colour", kKeys), "");
}

TEST(Duration, ParsesNumbersWithAndWithoutUnits) {
  EXPECT_EQ(parse_duration("5"), seconds(5));
  EXPECT_EQ(parse_duration("0.5"), milliseconds(500));
  EXPECT_EQ(parse_duration(" 250 ms "), milliseconds(250));
  EXPECT_EQ(parse_duration("10m"), seconds(600));
  EXPECT_EQ(parse_duration("2h"), seconds(7200));
  EXPECT_EQ(parse_duration("7d"), seconds(604800));
}

TEST(Duration, RefusesWhatIsNone) {
  for (const std::string_view text : {"", "s", "-1", "5 parsecs", "nan", "inf", "1e300", "5s5"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Duration, FormatsWhatItParses) {
  for (const std::string_view text : {"250ms", "5s", "1.5s", "300s", "0s"}) {
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  }
}

}  // namespace
}  // namespace virtmeter
