#include "config/options.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "config/value.h"

namespace virtmeter {
namespace {

TEST(Options, HaveEachKeyVariableFlagAndMemberOnce) {
  std::set<std::string> names;
  for (const Option& option : options()) {
    EXPECT_TRUE(names.emplace(option.key).second) << option.key;
    EXPECT_TRUE(names.emplace(option.environment).second) << option.environment;
    EXPECT_TRUE(names.emplace(flag_name(option)).second) << flag_name(option);
    for (const Option& other : options()) {
      EXPECT_EQ(option.member == other.member, &option == &other) << option.key << " and " << other.key;
    }
  }
}

TEST(Options, AreCompleteRows) {
  for (const Option& option : options()) {
    SCOPED_TRACE(option.key);
    EXPECT_TRUE(option.help.ends_with('.'));
    EXPECT_EQ(option.help.find(". "), std::string_view::npos) << "one sentence";
    EXPECT_FALSE(option.group.empty());
    EXPECT_LE(option.minimum, option.maximum);
    EXPECT_EQ(option.choices.empty(), type_of(option) != OptionType::choice);
    EXPECT_EQ(find_option(option.key), &option);
  }
}

TEST(Options, HaveDefaultsAndExamplesThatTheyAccept) {
  for (const Option& option : options()) {
    SCOPED_TRACE(option.key);
    Settings settings;
    EXPECT_FALSE(assign(option, SettingValue::from_text(default_text(option)), settings).has_value());
    EXPECT_EQ(value_text(option, settings), default_text(option));
    EXPECT_FALSE(assign(option, SettingValue::from_text(example_text(option)), settings).has_value());
  }
}

TEST(Options, KeepTheKeysVariablesAndDefaultsOfTheContract) {
  const auto check = [](std::string_view key, std::string_view environment, std::string_view fallback) {
    const Option* option = find_option(key);
    ASSERT_NE(option, nullptr) << key;
    EXPECT_EQ(option->environment, environment);
    EXPECT_EQ(default_text(*option), fallback) << key;
  };
  check("libvirt_uri", "LIBVIRT_URI", "qemu:///system");
  check("libvirt_timeout", "LIBVIRT_TIMEOUT", "10s");
  check("poll_interval", "POLL_INTERVAL", "5s");
  check("device_cache_ttl", "DEVICE_CACHE_TTL", "300s");
  check("influx_url", "INFLUX_URL", "");
  check("influx_db", "INFLUX_DB", "vmstats");
  check("influx_token", "INFLUX_TOKEN", "");
  check("batch_max_lines", "BATCH_MAX_LINES", "2000");
  check("batch_max_sec", "BATCH_MAX_SEC", "1s");
  check("max_queue", "MAX_QUEUE", "20000");
  check("state_dir", "STATE_DIRECTORY", "/var/lib/virtmeter");
  check("log_level", "LOG_LEVEL", "info");
  check("log_file", "LOG_FILE", "");
  check("http.listen", "HTTP_LISTEN", "127.0.0.1:9178");
}

TEST(Options, NameTheirFlagsAndTables) {
  EXPECT_EQ(flag_name(*find_option("poll_interval")), "--poll-interval");
  EXPECT_EQ(flag_name(*find_option("http.listen")), "--http-listen");
  EXPECT_EQ(table_of("http.listen"), "http");
  EXPECT_EQ(leaf_of("http.listen"), "listen");
  EXPECT_EQ(table_of("poll_interval"), "");
  EXPECT_EQ(leaf_of("poll_interval"), "poll_interval");
  EXPECT_EQ(option_tables(), (std::vector<std::string_view>{"http", "process", "libvirt", "spool", "file"}));
}

TEST(Options, SayWhatTheyAllow) {
  const auto check = [](std::string_view key, std::string_view want) {
    EXPECT_EQ(allowed_text(*find_option(key)), want) << key;
  };
  check("poll_interval", "500ms to 3600s");
  check("batch_max_sec", "0s to 60s");
  check("max_queue", "1 to 10000000");
  check("file.max_bytes", "at least 1048576");
  check("log_level", "debug, info, warning, error");
  check("http.listen", "host:port, or empty");
  check("influx_db", "text, not empty");
}

TEST(Options, WriteTomlThatMeansTheText) {
  EXPECT_EQ(toml_literal(*find_option("max_queue"), "5"), "5");
  EXPECT_EQ(toml_literal(*find_option("poll_interval"), "5s"), "\"5s\"");
  EXPECT_EQ(toml_literal(*find_option("log_file"), "a\"b\\c"), "\"a\\\"b\\\\c\"");
}

TEST(Options, MaskASecretsValue) {
  Settings settings;
  settings.influx_token = Secret(std::string(64, 'x'));
  EXPECT_EQ(value_text(*find_option("influx_token"), settings), "(set, 64 characters)");
}

TEST(Options, CompareAndCopyOneValue) {
  Settings a;
  Settings b;
  b.influx_token = Secret("hush");
  b.poll_interval = std::chrono::seconds(9);
  b.missing = Settings::Missing::omit;
  for (const Option& option : options()) {
    SCOPED_TRACE(option.key);
    const bool differs =
        option.key == "influx_token" || option.key == "poll_interval" || option.key == "missing";
    EXPECT_EQ(same_value(option, a, b), !differs);
    copy_value(option, b, a);
    EXPECT_TRUE(same_value(option, a, b));
  }
}

TEST(Options, SayWhichCountAtAReload) {
  const auto check = [](std::string_view key, Reload want, std::string_view text) {
    EXPECT_EQ(find_option(key)->reload, want) << key;
    EXPECT_EQ(reload_text(find_option(key)->reload), text) << key;
  };
  check("libvirt_uri", Reload::at_start, "at the next start");
  check("state_dir", Reload::at_start, "at the next start");
  check("http.listen", Reload::at_start, "at the next start");
  check("poll_interval", Reload::collector, "yes");
  check("influx_token_file", Reload::sink, "yes");
  check("file.path", Reload::sink, "yes");
  check("log_level", Reload::log, "yes");
}

TEST(SuggestKey, FindsTypingErrorsInTheSameTableFirst) {
  const auto check = [](std::string_view key, std::string_view want) {
    EXPECT_EQ(suggest_key(key), want) << key;
  };
  check("pol_interval", "poll_interval");
  check("influx_ulr", "influx_url");
  check("http.listne", "http.listen");
  check("listen", "http.listen");
  check("http_listen", "http.listen");
  check("http.poll_interval", "poll_interval");
  check("libvirt.uri", "libvirt_uri");
  check("log.level", "log_level");
  check("influx.url", "influx_url");
  check("htp.listen", "http.listen");
  check("colour", "");
  check("", "");
  check(std::string(100'000, 'x'), "");
}

TEST(SuggestTable, FindsTypingErrors) {
  EXPECT_EQ(suggest_table("htp"), "http");
  EXPECT_EQ(suggest_table("libvrit"), "libvirt");
  EXPECT_EQ(suggest_table("prometheus"), "");
  EXPECT_EQ(suggest_table(std::string(100'000, 'x')), "");
}

}  // namespace
}  // namespace virtmeter
