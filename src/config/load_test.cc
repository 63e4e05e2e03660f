#include "config/load.h"

#include <gtest/gtest.h>

#include <string>

#include "config/options.h"
#include "config/testing.h"

namespace virtmeter {
namespace {

using config_testing::environment_of;
using config_testing::replaced;
using config_testing::TempFolder;
using std::chrono::seconds;
using Variables = std::map<std::string, std::string>;

LoadInputs inputs_of(std::string file, Variables variables = {},
                     std::vector<SettingOverride> overrides = {}) {
  return {.file = std::move(file),
          .overrides = std::move(overrides),
          .environment = environment_of(std::move(variables))};
}

LoadedSettings loaded(const LoadInputs& inputs) {
  LoadOutcome outcome = load_settings(inputs);
  EXPECT_EQ(problems_for_terminal(outcome.problems), "");
  return outcome ? *std::move(outcome.loaded) : LoadedSettings{};
}

std::string problems(const LoadInputs& inputs, const TempFolder& folder) {
  return replaced(problems_for_terminal(load_settings(inputs).problems), folder.path(), "/t");
}

std::string origin(const LoadedSettings& settings, std::string_view key) {
  return origin_text(settings.origins.at(option_index(*find_option(key))));
}

// A value of the option that is good and not its default.
std::string other_value(const Option& option, const TempFolder& folder) {
  if (option.key == "influx_token_file") return folder / "token";
  const Settings defaults;
  switch (type_of(option)) {
    case OptionType::integer:
      return std::to_string(std::stoll(default_text(option)) + (default_text(option) == "0" ? 1 : -1));
    case OptionType::duration:
      return std::to_string(option.maximum / 1'000'000'000) + "s";
    case OptionType::choice:
      return std::string(option.choices.back());
    case OptionType::secret:
      return "s3cret";
    case OptionType::string:
      break;
  }
  if (option.rule == TextRule::listen_address) return "0.0.0.0:80";
  return option.example.empty() ? "/other" : std::string(option.example);
}

void check_set(const LoadInputs& inputs, const Option& option, const std::string& want) {
  SCOPED_TRACE(option.key);
  const LoadedSettings settings = loaded(inputs);
  const std::string shown = type_of(option) == OptionType::secret ? "(set, 6 characters)" : want;
  EXPECT_EQ(value_text(option, settings.settings), shown);
  for (const Option& other : options()) {
    if (&other != &option && other.key != "file.path" && other.key != "influx_token") {
      EXPECT_EQ(value_text(other, settings.settings), default_text(other)) << other.key;
    }
  }
}

TEST(Load, SetsEveryOptionFromFileEnvironmentAndFlags) {
  const TempFolder folder;
  folder.write("token", "s3cret");
  for (const Option& option : options()) {
    const std::string value = other_value(option, folder);
    ASSERT_NE(value, default_text(option));
    const std::string line = std::string(option.key) + " = " + toml_literal(option, value);
    check_set(inputs_of(folder.write("v.toml", line)), option, value);
    check_set(inputs_of("", {{std::string(option.environment), value}}), option, value);
    check_set(inputs_of("", {}, {{std::string(option.key) + "=" + value}}), option, value);
    check_set(inputs_of("", {}, {{std::string(option.key) + "=" + value, flag_name(option)}}), option, value);
  }
}

TEST(Load, NeedsNoSettings) {
  const LoadedSettings settings = loaded(inputs_of("/nowhere/virtmeter.toml"));
  EXPECT_EQ(settings.files, std::vector<std::string>{});
  EXPECT_EQ(settings.warnings, std::vector<std::string>{});
  for (const Option& option : options()) EXPECT_EQ(origin(settings, option.key), "default");
  EXPECT_EQ(settings.settings.libvirt_uri, "qemu:///system");
}

TEST(Load, PrefersFlagsToEnvironmentToFiles) {
  const TempFolder folder;
  const std::string file = folder.write("v.toml", "poll_interval = 1\n");
  LoadInputs inputs = inputs_of(file);
  const auto check = [&](seconds want, const std::string& want_origin) {
    const LoadedSettings settings = loaded(inputs);
    EXPECT_EQ(settings.settings.poll_interval, want);
    EXPECT_EQ(origin(settings, "poll_interval"), want_origin);
  };
  check(seconds(1), file + ":1");
  inputs.environment = environment_of({{"POLL_INTERVAL", "2"}});
  check(seconds(2), "environment POLL_INTERVAL");
  inputs.overrides = {{"poll_interval=3", "--set"}};
  check(seconds(3), "--set");
  inputs.overrides.push_back({"poll_interval=4s", "--poll-interval"});
  check(seconds(4), "--poll-interval");
}

TEST(Load, ReadsConfDInNameOrderAfterTheFile) {
  const TempFolder folder;
  const std::string file =
      folder.write("v.toml", "max_queue = 3000\nlibvirt_timeout = 1\npoll_interval = 1\n");
  const std::string second = folder.write("conf.d/20.toml", "poll_interval = 3\n");
  const std::string first = folder.write("conf.d/10.toml", "poll_interval = 2\nlibvirt_timeout = 2\n");
  folder.write("conf.d/30.toml.bak", "not TOML");
  folder.write("conf.d/.40.toml", "not TOML");
  const LoadedSettings settings = loaded(inputs_of(file));
  EXPECT_EQ(settings.files, (std::vector<std::string>{file, first, second}));
  EXPECT_EQ(origin(settings, "poll_interval"), second + ":1");
  EXPECT_EQ(origin(settings, "libvirt_timeout"), first + ":2");
  EXPECT_EQ(origin(settings, "max_queue"), file + ":1");
  EXPECT_EQ(settings.settings.poll_interval, seconds(3));
}

TEST(Load, ReadsConfDWithoutTheFile) {
  const TempFolder folder;
  folder.write("conf.d/10.toml", "poll_interval = 2\n");
  EXPECT_EQ(loaded(inputs_of(folder / "v.toml")).settings.poll_interval, seconds(2));
}

TEST(Load, TakesAnEmptyVariableAsNotSet) {
  const LoadedSettings settings =
      loaded(inputs_of("", {{"POLL_INTERVAL", ""}, {"HTTP_LISTEN", ""}, {"STATE_DIRECTORY", ":"}}));
  EXPECT_EQ(origin(settings, "poll_interval"), "default");
  EXPECT_EQ(settings.settings.http_listen, "127.0.0.1:9178");
  EXPECT_EQ(origin(settings, "state_dir"), "default");
}

TEST(Load, TakesAnEmptyFlagAsTheEmptyText) {
  EXPECT_EQ(loaded(inputs_of("", {}, {{"http.listen=", "--http-listen"}})).settings.http_listen, "");
  EXPECT_EQ(loaded(inputs_of("", {}, {{"host_tag=a=b"}})).settings.host_tag, "a=b");
}

TEST(Load, TakesTheFirstOfSystemdsStateDirectories) {
  const LoadedSettings settings = loaded(inputs_of("", {{"STATE_DIRECTORY", "/var/lib/a:/var/lib/b"}}));
  EXPECT_EQ(settings.settings.state_dir, "/var/lib/a");
  EXPECT_EQ(settings.settings.file_path, "/var/lib/a/lines.lp");
  EXPECT_EQ(origin(settings, "file.path"), "default");
}

TEST(Load, ChoosesAStateFolderThisUserMayWrite) {
  const TempFolder folder;
  const auto check = [&](const std::string& system, Variables variables, const std::string& want) {
    LoadInputs inputs = inputs_of("", std::move(variables));
    inputs.system_state_dir = system;
    EXPECT_EQ(loaded(inputs).settings.state_dir, want);
  };
  const Variables home = {{"HOME", "/home/me"}};
  const std::string file = folder.write("file", "");
  check(folder.path(), home, folder.path());
  check(folder / "new", home, folder / "new");
  check(file, home, "/home/me/.local/state/virtmeter");
  check(folder / "no/such", home, "/home/me/.local/state/virtmeter");
  check(file, {{"HOME", "/home/me"}, {"XDG_STATE_HOME", "/state"}}, "/state/virtmeter");
  check(file, {{"HOME", "/home/me"}, {"XDG_STATE_HOME", "relative"}}, "/home/me/.local/state/virtmeter");
  check(file, {}, file);
}

TEST(Load, ReportsAllProblemsOfAllLayersByPlace) {
  const TempFolder folder;
  const std::string file = folder.write("v.toml", "pol_interval = 1\n[htp]\n");
  folder.write("conf.d/a.toml", "max_queue = \"many\"\n");
  folder.write("conf.d/b.toml", "max_queue = = 1\n");
  EXPECT_EQ(
      problems(inputs_of(file, {{"LOG_LEVEL", "loud"}, {"INFLUX_URL", "influx:8086"}},
                         {{"pol_interval=2"}, {"max_queue"}, {"batch_max_lines=0", "--batch-max-lines"}}),
               folder),
      "/t/v.toml:1:1: unknown key \"pol_interval\"\n"
      "    1 | pol_interval = 1\n"
      "      | ^^^^^^^^^^^^\n"
      "    did you mean \"poll_interval\"?\n"
      "/t/v.toml:2:2: unknown table \"htp\"\n"
      "    2 | [htp]\n"
      "      |  ^^^\n"
      "    did you mean [http]?\n"
      "/t/conf.d/a.toml:1:1: max_queue must be a whole number, got \"many\"\n"
      "    1 | max_queue = \"many\"\n"
      "      | ^^^^^^^^^\n"
      "    write a whole number, 1 to 10000000, for example 20000\n"
      "/t/conf.d/b.toml:1:13: not valid TOML: value: could not determine value type\n"
      "    1 | max_queue = = 1\n"
      "      |             ^\n"
      "    a setting is written  key = value  on one line, texts and durations in quotes\n"
      "environment INFLUX_URL: influx_url must start with http:// or https://, got \"influx:8086\"\n"
      "    did you mean \"http://influx:8086\"?\n"
      "environment LOG_LEVEL: log_level must be one of debug, info, warning, error, got \"loud\"\n"
      "    write one of debug, info, warning, error, for example info\n"
      "--set pol_interval: unknown key \"pol_interval\"\n"
      "    did you mean \"poll_interval\"?\n"
      "--set max_queue: has no value\n"
      "    write --set max_queue=20000\n"
      "--batch-max-lines: batch_max_lines is too small: \"0\"\n"
      "    write a whole number, 1 to 100000, for example 2000\n");
}

TEST(Load, ReportsAQueueSmallerThanABatchWhereItWasSet) {
  const TempFolder folder;
  const std::string file = folder.write("v.toml", "batch_max_lines = 100\n  max_queue = 99\n");
  EXPECT_EQ(problems(inputs_of(file), folder),
            "/t/v.toml:2:3: max_queue (99) is below batch_max_lines (100)\n"
            "    2 |   max_queue = 99\n"
            "      |   ^^^^^^^^^\n"
            "    write max_queue of at least batch_max_lines: a batch is filled from the queue\n");
  EXPECT_EQ(problems(inputs_of("", {{"BATCH_MAX_LINES", "30000"}}), folder),
            "environment BATCH_MAX_LINES: max_queue (20000) is below batch_max_lines (30000)\n"
            "    write max_queue of at least batch_max_lines: a batch is filled from the queue\n");
  EXPECT_EQ(loaded(inputs_of("", {{"BATCH_MAX_LINES", "30000"}, {"MAX_QUEUE", "30000"}})).settings.max_queue,
            30000);
}

TEST(Load, SaysWhyAFileCannotBeRead) {
  const TempFolder folder;
  LoadInputs inputs = inputs_of(folder / "none.toml");
  inputs.file_must_exist = true;
  EXPECT_EQ(problems(inputs, folder),
            "/t/none.toml: cannot be opened: no such file or directory\n    name a file that exists\n");
  EXPECT_EQ(problems(inputs_of(folder.path()), folder), "/t: is a folder\n    name a file in it\n");
  EXPECT_EQ(problems(inputs_of(folder.write("big.toml", std::string((1 << 20) + 1, '#'))), folder),
            "/t/big.toml: is larger than 1048576 bytes\n    name the right file, or make it smaller\n");
  EXPECT_EQ(problems(inputs_of(folder.write("latin1.toml", "# caf\xE9\n")), folder),
            "/t/latin1.toml:1:6: not UTF-8 text\n"
            "    1 | # caf?\n"
            "      |      ^\n"
            "    save the file in the encoding UTF-8\n");
}

TEST(Load, WarnsOfATokenThatTravelsUnencrypted) {
  const auto warnings = [](const char* url, const char* token) {
    return loaded(inputs_of("", {{"INFLUX_URL", url}, {"INFLUX_TOKEN", token}})).warnings;
  };
  EXPECT_EQ(warnings("http://db.example.org:8086", "secret"),
            std::vector<std::string>{"influx_url: the token travels unencrypted; write https://, and "
                                     "influx_ca_file for certificates of your own"});
  EXPECT_TRUE(warnings("https://db.example.org:8086", "secret").empty());
  EXPECT_TRUE(warnings("http://127.0.0.1:8086", "secret").empty());
  EXPECT_TRUE(warnings("http://[::1]:8086", "secret").empty());
  EXPECT_TRUE(warnings("http://db.example.org:8086", "").empty());
}

TEST(Load, SaysWhyConfDCannotBeRead) {
  const TempFolder folder;
  folder.write("conf.d", "");
  EXPECT_EQ(
      problems(inputs_of(folder / "v.toml"), folder),
      "/t/conf.d: cannot be read: not a directory\n    make it a folder this user may read, or remove it\n");
  const TempFolder other;
  std::filesystem::create_directories(other / "conf.d/x.toml");
  EXPECT_EQ(problems(inputs_of(other / "v.toml"), other),
            "/t/conf.d/x.toml: is a folder\n    name a file in it\n");
}

TEST(Load, KeepsHostileBytesOffTheTerminal) {
  const TempFolder folder;
  EXPECT_EQ(problems(inputs_of("", {{"HOST_TAG", "\x1b[2J"}}, {{"a\x1b[2J\n=1"}}), folder),
            "environment HOST_TAG: host_tag holds control characters or is not UTF-8: \"?[2J\"\n"
            "    write printable characters only\n"
            "--set a?[2J: unknown key \"a?[2J\"\n"
            "    virtmeter config example lists every key\n");
}

TEST(Load, FindsTheTokenInSystemdsCredential) {
  const TempFolder folder;
  folder.write("influx-token", "abc\n", 0400);
  const LoadedSettings settings = loaded(inputs_of("", {{"CREDENTIALS_DIRECTORY", folder.path()}}));
  EXPECT_EQ(settings.settings.influx_token.reveal(), "abc");
  EXPECT_EQ(origin(settings, "influx_token"), "credential " + folder / "influx-token");
}

TEST(Load, WarnsOfATokenInAFileOpenToEveryUser) {
  const TempFolder folder;
  const std::string file = folder.write("v.toml", "influx_token = \"abc\"\n", 0644);
  EXPECT_EQ(loaded(inputs_of(file)).warnings,
            std::vector<std::string>{
                file + " holds a secret and is open to every user (mode 0644); chmod 0640 " + file});
  EXPECT_EQ(loaded(inputs_of(folder.write("v.toml", "max_queue = 5000\n", 0644))).warnings,
            std::vector<std::string>{});
}

TEST(Load, NamesThePlaceOfBothTokens) {
  const TempFolder folder;
  const std::string file = folder.write("v.toml", "influx_token = \"abc\"\ninflux_token_file = \"/x\"\n");
  EXPECT_EQ(problems(inputs_of(file), folder),
            "/t/v.toml:2:1: influx_token and influx_token_file are both set\n"
            "    2 | influx_token_file = \"/x\"\n"
            "      | ^^^^^^^^^^^^^^^^^\n"
            "    keep one of the two\n");
}

}  // namespace
}  // namespace virtmeter
