#include "config/problem.h"

#include <gtest/gtest.h>

#include <string>

namespace virtmeter {
namespace {

SettingPlace in_file(std::size_t file_index, std::uint32_t line, std::uint32_t column) {
  return {.layer = SettingLayer::file,
          .name = "/etc/v.toml",
          .file_index = file_index,
          .line = line,
          .column = column};
}

TEST(SettingPlace, NamesThePlaceAndTheOrigin) {
  const auto check = [](const SettingPlace& place, std::string_view want_place,
                        std::string_view want_origin) {
    EXPECT_EQ(place_text(place), want_place);
    EXPECT_EQ(origin_text(place), want_origin);
  };
  check({}, "default", "default");
  check(in_file(0, 14, 3), "/etc/v.toml:14:3", "/etc/v.toml:14");
  check({.layer = SettingLayer::environment, .name = "POLL_INTERVAL"}, "environment POLL_INTERVAL",
        "environment POLL_INTERVAL");
  check({.layer = SettingLayer::command_line, .name = "--set", .key = "pol_interval"}, "--set pol_interval",
        "--set");
  check({.layer = SettingLayer::command_line, .name = "--poll-interval"}, "--poll-interval",
        "--poll-interval");
  check({.layer = SettingLayer::environment, .name = "X", .via = "credential /run/c"}, "environment X",
        "credential /run/c");
  check({.layer = SettingLayer::command_line, .name = "--set", .key = "a\x1b[2J"}, "--set a?[2J", "--set");
}

TEST(SettingProblems, AreSortedByPlaceAsNumbers) {
  std::vector<SettingProblem> problems{
      {{.layer = SettingLayer::command_line, .name = "--set", .key = "b"}, "8", ""},
      {{.layer = SettingLayer::command_line, .name = "--set", .key = "a"}, "9", ""},
      {{.layer = SettingLayer::environment, .name = "X"}, "7", ""},
      {in_file(1, 1, 1), "5", ""},
      {in_file(0, 14, 3), "4", ""},
      {in_file(0, 2, 9), "3", ""},
      {in_file(0, 2, 1), "2", ""},
      {in_file(0, 0, 0), "1", ""},
      {in_file(2, 1, 1), "6", ""},
  };
  sort_by_place(problems);
  std::string order;
  for (const SettingProblem& problem : problems) order += problem.what;
  EXPECT_EQ(order, "123456789") << "flags stay in the order they were given";
}

SettingProblem example() {
  SettingPlace place = in_file(0, 14, 3);
  place.width = 9;
  place.excerpt = "  intervall = \"10s\"";
  return {place, "unknown key \"intervall\"", "did you mean \"interval\"?"};
}

TEST(SettingProblems, AreSeveralLinesOnATerminal) {
  const std::vector<SettingProblem> problems{example(),
                                             {{.layer = SettingLayer::environment, .name = "MAX_QUEUE"},
                                              "max_queue is too small: \"0\"",
                                              "write more"}};
  EXPECT_EQ(problems_for_terminal(problems),
            "/etc/v.toml:14:3: unknown key \"intervall\"\n"
            "    14 |   intervall = \"10s\"\n"
            "       |   ^^^^^^^^^\n"
            "    did you mean \"interval\"?\n"
            "environment MAX_QUEUE: max_queue is too small: \"0\"\n"
            "    write more\n");
}

TEST(SettingProblems, AreOneLineEachInTheLog) {
  const std::vector<SettingProblem> problems{example()};
  EXPECT_EQ(
      problems_for_log(problems),
      std::vector<std::string>{"/etc/v.toml:14:3: unknown key \"intervall\"; did you mean \"interval\"?"});
}

TEST(SettingProblems, KeepCaretsBelowTheirLine) {
  const auto check = [](std::uint32_t column, std::uint32_t width, std::string_view want) {
    SettingProblem problem = example();
    problem.place.excerpt = "ab\xC3\xA9";
    problem.place.column = column;
    problem.place.width = width;
    problem.fix = "";
    EXPECT_EQ(problems_for_terminal({&problem, 1}),
              "/etc/v.toml:14:" + std::to_string(column) +
                  ": unknown key \"intervall\"\n    14 | ab\xC3\xA9\n       | " + std::string(want) + "\n");
  };
  check(1, 2, "^^");
  check(3, 1, "  ^");
  check(2, 900, " ^^");
  check(900, 900, "   ^");
  check(0, 0, "^");
}

TEST(Excerpt, IsTheLineMadePrintable) {
  EXPECT_EQ(excerpt_of("a = 1\r\n\tb = 2\n", 1), "a = 1");
  EXPECT_EQ(excerpt_of("a = 1\r\n\tb = 2\n", 2), " b = 2");
  EXPECT_EQ(excerpt_of("a = 1", 9), "");
  EXPECT_EQ(excerpt_of("a = \"\x1b[2J\"", 1), "a = \"?[2J\"");
  EXPECT_EQ(excerpt_of(std::string(1000, 'x'), 1), std::string(160, 'x') + "...");
}

TEST(Excerpt, HidesWhatMayBeASecret) {
  const auto check = [](std::string_view line, std::string_view want) {
    EXPECT_EQ(excerpt_of(line, 1), want);
  };
  check("influx_token = \"abc", "influx_token = (hidden)");
  check("influx_tokn = \"abc\"", "influx_tokn = (hidden)");
  check("  \"influx_token\" = 'abc'", "  \"influx_token\" = (hidden)");
  check("password = \"abc\"", "password = (hidden)");
  check("x = {influx_token = \"abc\"}", "x = (hidden)");
  check("my Token abc", "(hidden)");
  check("influx_token_file = 5", "influx_token_file = 5");
  check("[influx_token]", "[influx_token]");
  check("influx_url = \"http://u:p/w@h/x\"", "influx_url = \"http://(hidden)@h/x\"");
  check("libvirt_uri = \"qemu+ssh://root@h/system\"", "libvirt_uri = \"qemu+ssh://root@h/system\"");
  check("influx_url = \"u:p@w@h\"", "influx_url = \"(hidden)@h\"");
  check("influx_url = 'http://u:a b\"c'd@h'", "influx_url = 'http://(hidden)@h'");
  check("host_tag = \"a@b\"  # why: x", "host_tag = \"a@b\"  # why: x");
  EXPECT_TRUE(hides_a_secret(excerpt_of("influx_token = 5", 1)));
  EXPECT_FALSE(hides_a_secret(excerpt_of("max_queue = 5", 1)));
}

TEST(ShownInQuotes, IsShortAndPrintable) {
  EXPECT_EQ(shown_in_quotes("a\nb"), "\"a?b\"");
  EXPECT_EQ(shown_in_quotes(std::string(200, 'x')), "\"" + std::string(80, 'x') + "...\"");
  EXPECT_EQ(shown_in_quotes("x://u:p@h"), "\"x://(hidden)@h\"");
}

}  // namespace
}  // namespace virtmeter
