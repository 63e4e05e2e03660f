#include "config/show.h"

#include <gtest/gtest.h>

#include <string>

#include "config/file_layer.h"
#include "config/options.h"
#include "config/testing.h"

namespace virtmeter {
namespace {

using config_testing::environment_of;

LoadedSettings sample() {
  LoadInputs inputs{
      .file = "",
      .environment = environment_of({{"INFLUX_TOKEN", std::string(64, 'x')}, {"HOST_TAG", "a\"b"}})};
  inputs.overrides = {{"poll_interval=1500ms", "--poll-interval"}, {"state_dir=/s"}};
  LoadOutcome outcome = load_settings(inputs);
  EXPECT_TRUE(outcome);
  return *std::move(outcome.loaded);
}

TEST(SettingsTable, AlignsKeyValueAndOrigin) {
  EXPECT_EQ(settings_table(sample()),
            "KEY                        VALUE                 ORIGIN\n"
            "libvirt_uri                \"qemu:///system\"      default\n"
            "source                     auto                  default\n"
            "libvirt_timeout            10s                   default\n"
            "poll_interval              1.5s                  --poll-interval\n"
            "device_cache_ttl           300s                  default\n"
            "missing                    zero                  default\n"
            "host_tag                   \"a\\\"b\"                environment HOST_TAG\n"
            "influx_url                 \"\"                    default\n"
            "influx_api                 auto                  default\n"
            "influx_db                  \"vmstats\"             default\n"
            "influx_org                 \"\"                    default\n"
            "influx_token               (set, 64 characters)  environment INFLUX_TOKEN\n"
            "influx_token_file          \"\"                    default\n"
            "influx_ca_file             \"\"                    default\n"
            "batch_max_lines            2000                  default\n"
            "batch_max_sec              1s                    default\n"
            "max_queue                  20000                 default\n"
            "state_dir                  \"/s\"                  --set\n"
            "log_level                  info                  default\n"
            "log_file                   \"\"                    default\n"
            "http.listen                \"127.0.0.1:9178\"      default\n"
            "process.core_dump          off                   default\n"
            "libvirt.chunk_vms          32                    default\n"
            "spool.max_bytes            1073741824            default\n"
            "spool.max_age              2592000s              default\n"
            "spool.min_free_bytes       1073741824            default\n"
            "spool.sync                 every_cycle           default\n"
            "spool.drain_lines_per_sec  0                     default\n"
            "file.path                  \"/s/lines.lp\"         default\n"
            "file.max_bytes             268435456             default\n");
}

TEST(SettingsJson, IsOneObjectWithValuesAndOrigins) {
  EXPECT_EQ(
      settings_json(sample()),
      "{\n"
      "  \"libvirt_uri\": {\"value\": \"qemu:///system\", \"origin\": \"default\"},\n"
      "  \"source\": {\"value\": \"auto\", \"origin\": \"default\"},\n"
      "  \"libvirt_timeout\": {\"value\": \"10s\", \"origin\": \"default\"},\n"
      "  \"poll_interval\": {\"value\": \"1.5s\", \"origin\": \"--poll-interval\"},\n"
      "  \"device_cache_ttl\": {\"value\": \"300s\", \"origin\": \"default\"},\n"
      "  \"missing\": {\"value\": \"zero\", \"origin\": \"default\"},\n"
      "  \"host_tag\": {\"value\": \"a\\\"b\", \"origin\": \"environment HOST_TAG\"},\n"
      "  \"influx_url\": {\"value\": \"\", \"origin\": \"default\"},\n"
      "  \"influx_api\": {\"value\": \"auto\", \"origin\": \"default\"},\n"
      "  \"influx_db\": {\"value\": \"vmstats\", \"origin\": \"default\"},\n"
      "  \"influx_org\": {\"value\": \"\", \"origin\": \"default\"},\n"
      "  \"influx_token\": {\"value\": \"(set, 64 characters)\", \"origin\": \"environment INFLUX_TOKEN\"},\n"
      "  \"influx_token_file\": {\"value\": \"\", \"origin\": \"default\"},\n"
      "  \"influx_ca_file\": {\"value\": \"\", \"origin\": \"default\"},\n"
      "  \"batch_max_lines\": {\"value\": 2000, \"origin\": \"default\"},\n"
      "  \"batch_max_sec\": {\"value\": \"1s\", \"origin\": \"default\"},\n"
      "  \"max_queue\": {\"value\": 20000, \"origin\": \"default\"},\n"
      "  \"state_dir\": {\"value\": \"/s\", \"origin\": \"--set\"},\n"
      "  \"log_level\": {\"value\": \"info\", \"origin\": \"default\"},\n"
      "  \"log_file\": {\"value\": \"\", \"origin\": \"default\"},\n"
      "  \"http.listen\": {\"value\": \"127.0.0.1:9178\", \"origin\": \"default\"},\n"
      "  \"process.core_dump\": {\"value\": \"off\", \"origin\": \"default\"},\n"
      "  \"libvirt.chunk_vms\": {\"value\": 32, \"origin\": \"default\"},\n"
      "  \"spool.max_bytes\": {\"value\": 1073741824, \"origin\": \"default\"},\n"
      "  \"spool.max_age\": {\"value\": \"2592000s\", \"origin\": \"default\"},\n"
      "  \"spool.min_free_bytes\": {\"value\": 1073741824, \"origin\": \"default\"},\n"
      "  \"spool.sync\": {\"value\": \"every_cycle\", \"origin\": \"default\"},\n"
      "  \"spool.drain_lines_per_sec\": {\"value\": 0, \"origin\": \"default\"},\n"
      "  \"file.path\": {\"value\": \"/s/lines.lp\", \"origin\": \"default\"},\n"
      "  \"file.max_bytes\": {\"value\": 268435456, \"origin\": \"default\"}\n"
      "}\n");
}

TEST(SettingsJson, HasNullForAnUnsetSecret) {
  LoadedSettings settings = sample();
  settings.settings.influx_token = Secret();
  EXPECT_NE(settings_json(settings).find("\"influx_token\": {\"value\": null, "), std::string::npos);
}

TEST(SettingsJson, EscapesWhatJsonMustNotHold) {
  LoadedSettings settings = sample();
  settings.settings.host_tag = "a\\\n\x01\xFF\xC3\xA9";
  EXPECT_NE(settings_json(settings).find("\"host_tag\": {\"value\": \"a\\\\\\u000a\\u0001?\xC3\xA9\", "),
            std::string::npos);
}

// The lines of the example that set a key, without the sign that comments them out.
std::string switched_on(const std::string& example) {
  std::string out;
  for (std::size_t at = 0, end = 0; at < example.size(); at = end + 1) {
    end = example.find('\n', at);
    std::string line = example.substr(at, end - at);
    const std::size_t equals = line.find(" = ");
    const bool sets = line.starts_with("# ") && equals != std::string::npos && line.find(' ', 2) == equals;
    out += (sets ? line.substr(2) : line) + "\n";
  }
  return out;
}

TEST(SettingsExample, LoadsBackAsItIsAndSwitchedOn) {
  SettingsDraft draft;
  apply_file_text(settings_example(), "example", 0, draft);
  EXPECT_EQ(problems_for_terminal(draft.problems), "");
  for (const Option& option : options()) EXPECT_EQ(origin_text(draft.origin(option.key)), "default");

  apply_file_text(switched_on(settings_example()), "example", 0, draft);
  EXPECT_EQ(problems_for_terminal(draft.problems), "");
  for (const Option& option : options()) {
    EXPECT_EQ(draft.origin(option.key).layer, SettingLayer::file) << option.key;
    EXPECT_EQ(value_text(option, draft.settings), default_text(option)) << option.key;
  }
}

TEST(SettingsExample, ExplainsEachKey) {
  const std::string example = settings_example();
  EXPECT_NE(example.find("# The period of a collection cycle; cycles start on the beat and never overlap.\n"
                         "# Allowed: 500ms to 3600s. Environment: POLL_INTERVAL.\n"
                         "# poll_interval = \"5s\"\n\n"),
            std::string::npos);
  EXPECT_NE(example.find("# ---- Dashboard, API and /metrics ----\n\n[http]\n"
                         "# The address and port to serve on; empty is no server.\n"
                         "# Allowed: host:port, or empty. Environment: HTTP_LISTEN.\n"
                         "# listen = \"127.0.0.1:9178\"\n\n"),
            std::string::npos);
  EXPECT_TRUE(example.ends_with("# max_bytes = 268435456\n"));
}

TEST(SettingsMarkdown, HasARowForEachOption) {
  const std::string markdown = settings_markdown();
  for (const Option& option : options()) {
    const std::string row = "\n| `" + std::string(option.key) + "` | ";
    EXPECT_NE(markdown.find(row), std::string::npos) << option.key;
  }
  EXPECT_NE(markdown.find(
                "\n| `log_level` | `info` | `LOG_LEVEL` | The least serious kind of line that is logged. | "
                "debug, info, warning, error | yes |\n"),
            std::string::npos);
  EXPECT_TRUE(markdown.starts_with("# Settings\n\n"));
  EXPECT_TRUE(markdown.ends_with(" |\n"));
}

}  // namespace
}  // namespace virtmeter
