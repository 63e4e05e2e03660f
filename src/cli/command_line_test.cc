#include "cli/command_line.h"

#include <gtest/gtest.h>

#include "config/options.h"

namespace virtmeter {
namespace {

ParsedCommandLine parse(std::vector<const char*> words) {
  words.insert(words.begin(), "virtmeter");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

TEST(CommandLine, KnowsEveryCommand) {
  const auto check = [](std::vector<const char*> words, Command want) {
    const auto parsed = parse(words);
    ASSERT_TRUE(parsed.command_line) << parsed.text;
    EXPECT_EQ(parsed.command_line->command, want);
  };
  check({"run"}, Command::run);
  check({"once"}, Command::once);
  check({"check"}, Command::check);
  check({"status"}, Command::status);
  check({"schema"}, Command::schema);
  check({"config", "show"}, Command::config_show);
  check({"config", "check"}, Command::config_check);
  check({"config", "example"}, Command::config_example);
}

TEST(CommandLine, TakesConfigAndSettingsBeforeAndAfterTheCommand) {
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"--config", "/c.toml", "--set", "a=1", "--poll-interval", "2s", "run"},
        std::vector<const char*>{"run", "--config", "/c.toml", "--set", "a=1", "--poll-interval", "2s"}}) {
    const auto parsed = parse(words);
    ASSERT_TRUE(parsed.command_line) << parsed.text;
    EXPECT_EQ(parsed.command_line->config_file, "/c.toml");
    ASSERT_EQ(parsed.command_line->overrides.size(), 2u);
    bool set = false;
    bool flag = false;
    for (const SettingOverride& setting : parsed.command_line->overrides) {
      set = set || (setting.assignment == "a=1" && setting.flag == "--set");
      flag = flag || (setting.assignment == "poll_interval=2s" && setting.flag == "--poll-interval");
    }
    EXPECT_TRUE(set && flag);
  }
}

TEST(CommandLine, HasAFlagForEverySetting) {
  for (const Option& option : options()) {
    const std::string flag = flag_name(option);
    EXPECT_TRUE(parse({"run", flag.c_str(), "x"}).command_line) << flag;
  }
}

TEST(CommandLine, TakesAnEmptyValueAndNotTheNextWord) {
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"--log-file=", "run"}, {"run", "--log-file="}, {"--log-file", "", "run"}}) {
    const auto parsed = parse(words);
    ASSERT_TRUE(parsed.command_line) << parsed.text;
    EXPECT_EQ(parsed.command_line->command, Command::run);
    ASSERT_EQ(parsed.command_line->overrides.size(), 1u);
    EXPECT_EQ(parsed.command_line->overrides[0].assignment, "log_file=");
  }
}

TEST(CommandLine, TakesTheLastOfARepeatedFlag) {
  const auto parsed = parse({"run", "--poll-interval", "1s", "--poll-interval=2s"});
  ASSERT_TRUE(parsed.command_line) << parsed.text;
  ASSERT_EQ(parsed.command_line->overrides.size(), 1u);
  EXPECT_EQ(parsed.command_line->overrides[0].assignment, "poll_interval=2s");
}

TEST(CommandLine, ReadsTheOptionsOfOnce) {
  const auto parsed = parse({"once", "--cycles", "3", "--interval", "500ms", "--output", "json"});
  ASSERT_TRUE(parsed.command_line);
  EXPECT_EQ(parsed.command_line->cycles, 3u);
  EXPECT_EQ(parsed.command_line->interval, std::chrono::milliseconds(500));
  EXPECT_EQ(parsed.command_line->cycle_format, CycleFormat::json);
}

TEST(CommandLine, EndsWithUsageOnAMistake) {
  for (const std::vector<const char*>& words : {std::vector<const char*>{},
                                                {"rnu"},
                                                {"run", "--nonsense"},
                                                {"once", "--cycles", "0"},
                                                {"once", "--interval", "soon"},
                                                {"once", "--output", "xml"},
                                                {"config"},
                                                {"--set", "novalue", "run"},
                                                {"schema", "-o", "yaml"}}) {
    const auto parsed = parse(words);
    EXPECT_FALSE(parsed.command_line);
    EXPECT_EQ(parsed.exit_code, ExitCode::usage);
    EXPECT_EQ(parsed.text.substr(0, 11), "virtmeter: ") << parsed.text;
  }
}

TEST(CommandLine, SaysWhatIsWrongAndWhatIsRight) {
  const auto check = [](const std::vector<const char*>& words, const std::string& want) {
    EXPECT_EQ(parse(words).text, "virtmeter: " + want + "\nRun with --help for more information.\n");
  };
  check({}, "no command; there are: run, once, check, status, spool, schema, config");
  check({"rnu"}, "unknown command \"rnu\"; did you mean run?");
  check({"configure"}, "unknown command \"configure\"; did you mean config?");
  check({"backup"}, "unknown command \"backup\"; there are: run, once, check, status, spool, schema, config");
  check({"config"}, "no command; there are: show, check, example");
  check({"config", "shwo"}, "unknown command \"shwo\"; did you mean show?");
  check({"once", "--output", "xml"}, "--output: write lp, json or prometheus, not xml");
  check({"schema", "-o", "yaml"}, "--output: write table, json or markdown, not yaml");
  check({"config", "show", "-o", "markdown"}, "--output: write table or json, not markdown");
}

TEST(CommandLine, EndsWellOnHelpAndVersion) {
  const auto version = parse({"--version"});
  EXPECT_EQ(version.exit_code, ExitCode::ok);
  EXPECT_EQ(version.text, "virtmeter " VIRTMETER_VERSION "\n");
  const auto help = parse({"--help"});
  EXPECT_EQ(help.exit_code, ExitCode::ok);
  EXPECT_NE(help.text.find("--poll-interval"), std::string::npos);
  EXPECT_EQ(parse({"once", "--help"}).exit_code, ExitCode::ok);
}

}  // namespace
}  // namespace virtmeter
