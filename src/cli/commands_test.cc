#include "cli/commands.h"

#include <gtest/gtest.h>

#include "cli/test_output.h"

namespace virtmeter {
namespace {

TEST(Commands, PrintTheSchema) {
  const Ran ran = run_words({"schema"});
  EXPECT_EQ(ran.code, ExitCode::ok);
  EXPECT_NE(ran.out.find("cputime_ns"), std::string::npos);
  EXPECT_EQ(run_words({"schema", "-o", "json"}).out.front(), '{');
  EXPECT_EQ(run_words({"schema", "-o", "markdown"}).out.front(), '#');
}

TEST(Commands, PrintAnExampleOfTheSettings) {
  const Ran ran = run_words({"config", "example"});
  EXPECT_EQ(ran.code, ExitCode::ok);
  EXPECT_NE(ran.out.find("poll_interval"), std::string::npos);
}

TEST(Commands, ShowWhereASettingComesFrom) {
  const Ran ran = run_words({"config", "show", "--poll-interval", "2s", "--set", "influx_token=hush"});
  EXPECT_EQ(ran.code, ExitCode::ok);
  EXPECT_NE(ran.out.find("--poll-interval"), std::string::npos) << ran.out;
  EXPECT_EQ(ran.out.find("hush"), std::string::npos);
}

TEST(Commands, RefuseWrongSettingsAllAtOnce) {
  const Ran ran = run_words({"config", "check", "--poll-interval", "soon", "--set", "influx_ulr=http://h"});
  EXPECT_EQ(ran.code, ExitCode::settings);
  EXPECT_NE(ran.err.find("poll_interval"), std::string::npos);
  EXPECT_NE(ran.err.find("did you mean \"influx_url\""), std::string::npos) << ran.err;
  EXPECT_EQ(ran.out, "");
}

TEST(Commands, RefuseASettingsFileThatIsNotThere) {
  const Ran ran = run_words({"run", "--config", "/nowhere/virtmeter.toml"});
  EXPECT_EQ(ran.code, ExitCode::settings);
  EXPECT_NE(ran.err.find("/nowhere/virtmeter.toml"), std::string::npos);
}

}  // namespace
}  // namespace virtmeter
