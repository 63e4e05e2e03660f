#include "config/value.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "config/options.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = SettingValue::Kind;

SettingValue integer(std::int64_t number) { return {.kind = Kind::integer, .integer = number}; }
SettingValue number(double value) { return {.kind = Kind::number, .number = value}; }
SettingValue string(std::string text) { return {.kind = Kind::string, .text = std::move(text)}; }
SettingValue plain(std::string text) { return SettingValue::from_text(std::move(text)); }

// "what; fix", or "" when the value is accepted.
std::string complaint(std::string_view key, const SettingValue& value) {
  Settings settings;
  const auto found = assign(*find_option(key), value, settings);
  return found ? found->what + "; " + found->fix : "";
}

Settings assigned(std::string_view key, const SettingValue& value) {
  Settings settings;
  EXPECT_FALSE(assign(*find_option(key), value, settings).has_value()) << key;
  return settings;
}

TEST(DurationSetting, IsSecondsOrATextWithAUnit) {
  const auto check = [](const SettingValue& value, std::chrono::nanoseconds want) {
    EXPECT_EQ(assigned("poll_interval", value).poll_interval, want);
  };
  check(integer(7), seconds(7));
  check(number(0.5), milliseconds(500));
  check(number(2.1), milliseconds(2100));
  check(string("750ms"), milliseconds(750));
  check(string("5m"), seconds(300));
  check(plain("2"), seconds(2));
  check(plain("1.5s"), milliseconds(1500));
}

TEST(DurationSetting, RefusesWhatIsNoneOrOutOfRange) {
  const std::string fix = "; write a duration, 500ms to 3600s, for example \"5s\"";
  const auto check = [&](const SettingValue& value, const std::string& what) {
    EXPECT_EQ(complaint("poll_interval", value), what + fix);
  };
  check(number(0.4), "poll_interval is too small: 0.4");
  check(integer(3601), "poll_interval is too large: 3601");
  check(integer(std::numeric_limits<std::int64_t>::max()), "poll_interval is too large: 9223372036854775807");
  check(integer(std::numeric_limits<std::int64_t>::min()),
        "poll_interval is too small: -9223372036854775808");
  check(number(1e300), "poll_interval is too large: 1e+300");
  check(number(std::numeric_limits<double>::infinity()), "poll_interval is too large: inf");
  check(number(std::numeric_limits<double>::quiet_NaN()), "poll_interval must be a duration, got nan");
  check(string("2h"), "poll_interval is too large: \"2h\"");
  check(string("soon"), "poll_interval must be a duration, got \"soon\"");
  check(string(""), "poll_interval must be a duration, got \"\"");
  check({.kind = Kind::boolean, .integer = 1}, "poll_interval must be a duration, got true");
  check({.kind = Kind::date}, "poll_interval must be a duration, got a date or time");
  check({.kind = Kind::array}, "poll_interval must be a duration, got an array");
  check({.kind = Kind::table}, "poll_interval must be a duration, got a table");
}

TEST(DurationSetting, AcceptsTheEndsOfItsRange) {
  EXPECT_EQ(assigned("poll_interval", number(0.5)).poll_interval, milliseconds(500));
  EXPECT_EQ(assigned("poll_interval", integer(3600)).poll_interval, seconds(3600));
  EXPECT_EQ(assigned("batch_max_sec", integer(0)).batch_max_sec, seconds(0));
}

TEST(IntegerSetting, IsAWholeNumber) {
  EXPECT_EQ(assigned("batch_max_lines", integer(1)).batch_max_lines, 1);
  EXPECT_EQ(assigned("batch_max_lines", plain(" 100000 ")).batch_max_lines, 100'000);
  EXPECT_EQ(assigned("file.max_bytes", integer(1 << 20)).file_max_bytes, 1 << 20);
}

TEST(IntegerSetting, RefusesWhatIsNoneOrOutOfRange) {
  const std::string fix = "; write a whole number, 1 to 100000, for example 2000";
  const auto check = [&](const SettingValue& value, const std::string& what) {
    EXPECT_EQ(complaint("batch_max_lines", value), what + fix);
  };
  check(integer(0), "batch_max_lines is too small: 0");
  check(integer(100'001), "batch_max_lines is too large: 100001");
  check(number(5.0), "batch_max_lines must be a whole number, got 5");
  check(string("5"), "batch_max_lines must be a whole number, got \"5\"");
  check(plain("five"), "batch_max_lines must be a whole number, got \"five\"");
  check(plain("5k"), "batch_max_lines must be a whole number, got \"5k\"");
  check(plain("1e3"), "batch_max_lines must be a whole number, got \"1e3\"");
  check(plain("99999999999999999999"), "batch_max_lines is too large: \"99999999999999999999\"");
  check(plain("-99999999999999999999"), "batch_max_lines is too small: \"-99999999999999999999\"");
  EXPECT_EQ(complaint("file.max_bytes", integer(5)),
            "file.max_bytes is too small: 5; write a whole number, at least 1048576, for example 268435456");
}

TEST(ChoiceSetting, IgnoresCaseAndKnowsWarn) {
  EXPECT_EQ(assigned("log_level", plain("DEBUG")).log_level, LogLevel::debug);
  EXPECT_EQ(assigned("log_level", plain("Warn")).log_level, LogLevel::warning);
  EXPECT_EQ(assigned("log_level", string("warning")).log_level, LogLevel::warning);
  EXPECT_EQ(assigned("log_level", string("error")).log_level, LogLevel::error);
  EXPECT_EQ(assigned("influx_api", string("auto")).influx_api, Settings::InfluxApi::automatic);
  EXPECT_EQ(assigned("influx_api", string("v3")).influx_api, Settings::InfluxApi::v3);
  EXPECT_EQ(assigned("missing", string("omit")).missing, Settings::Missing::omit);
}

TEST(ChoiceSetting, OffersTheNearestOrAll) {
  EXPECT_EQ(
      complaint("log_level", string("wanring")),
      "log_level must be one of debug, info, warning, error, got \"wanring\"; did you mean \"warning\"?");
  EXPECT_EQ(complaint("log_level", string("loudest")),
            "log_level must be one of debug, info, warning, error, got \"loudest\"; "
            "write one of debug, info, warning, error, for example \"info\"");
  EXPECT_EQ(complaint("log_level", integer(3)),
            "log_level must be one of debug, info, warning, error, got 3; "
            "write one of debug, info, warning, error, for example \"info\"");
}

TEST(SecretSetting, IsNeverInAComplaint) {
  const std::string bad = "secret\nvalue";
  EXPECT_EQ(complaint("influx_token", string(bad)),
            "influx_token holds control characters or is not UTF-8; write printable characters only");
  EXPECT_EQ(complaint("influx_token", integer(12345)),
            "influx_token must be a text, got a number; write a text in quotes");
  EXPECT_EQ(complaint("influx_token", number(1.5)),
            "influx_token must be a text, got a number; write a text in quotes");
  EXPECT_EQ(assigned("influx_token", string("s3cret")).influx_token.reveal(), "s3cret");
}

TEST(SettingValue, LeavesTheMemberWhenRefused) {
  Settings settings;
  EXPECT_TRUE(assign(*find_option("poll_interval"), integer(0), settings).has_value());
  EXPECT_EQ(settings.poll_interval, seconds(5));
}

}  // namespace
}  // namespace virtmeter
