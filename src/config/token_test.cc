#include "config/token.h"

#include <gtest/gtest.h>

#include <string>

#include "config/testing.h"

namespace virtmeter {
namespace {

using config_testing::replaced;
using config_testing::TempFolder;

void set(SettingsDraft& draft, std::string_view key, const std::string& text, SettingLayer layer) {
  draft.set(*find_option(key), SettingValue::from_text(text), {.layer = layer, .name = "TEST"});
}

TEST(Token, PrefersTheSettingThenTheFileThenTheCredential) {
  const TempFolder folder;
  const std::string file = folder.write("file", " from-file \n");
  folder.write("influx-token", "from-credential");

  SettingsDraft draft;
  resolve_token(folder.path(), draft);
  EXPECT_EQ(draft.settings.influx_token.reveal(), "from-credential");
  EXPECT_EQ(draft.settings.influx_token_path, folder / "influx-token");
  EXPECT_EQ(origin_text(draft.origin("influx_token")), "credential " + folder / "influx-token");

  draft = {};
  set(draft, "influx_token_file", file, SettingLayer::file);
  resolve_token(folder.path(), draft);
  EXPECT_EQ(draft.settings.influx_token.reveal(), "from-file");
  EXPECT_EQ(draft.settings.influx_token_path, file);
  EXPECT_EQ(origin_text(draft.origin("influx_token")), "file " + file);

  draft = {};
  set(draft, "influx_token_file", file, SettingLayer::file);
  set(draft, "influx_token", "from-setting", SettingLayer::environment);
  resolve_token(folder.path(), draft);
  EXPECT_EQ(draft.settings.influx_token_path, "");
  EXPECT_EQ(draft.settings.influx_token.reveal(), "from-setting");
  EXPECT_EQ(origin_text(draft.origin("influx_token")), "environment TEST");
  EXPECT_TRUE(draft.problems.empty());
  EXPECT_TRUE(draft.warnings.empty());
}

TEST(Token, IsReadAnew) {
  const TempFolder folder;
  EXPECT_EQ(read_token(folder.write("file", " new \n")).value().reveal(), "new");
  EXPECT_EQ(replaced(read_token(folder / "none").error().message, folder.path(), "/t"),
            "influx_token: /t/none cannot be opened: no such file or directory");
}

TEST(Token, OfAHigherLayerWinsWhicheverFormItHas) {
  const TempFolder folder;
  SettingsDraft draft;
  set(draft, "influx_token", "from-setting", SettingLayer::file);
  set(draft, "influx_token_file", folder.write("file", "from-file"), SettingLayer::environment);
  resolve_token("", draft);
  EXPECT_EQ(draft.settings.influx_token.reveal(), "from-file");
}

TEST(Token, InBothFormsAtOneLayerIsAProblem) {
  SettingsDraft draft;
  set(draft, "influx_token", "abc", SettingLayer::environment);
  set(draft, "influx_token_file", "/none", SettingLayer::environment);
  resolve_token("", draft);
  EXPECT_EQ(problems_for_log(draft.problems),
            std::vector<std::string>{
                "environment TEST: influx_token and influx_token_file are both set; keep one of the two"});
}

TEST(Token, IsNotAskedForWithoutACredential) {
  const TempFolder folder;
  SettingsDraft draft;
  resolve_token(folder.path(), draft);
  resolve_token("", draft);
  EXPECT_TRUE(draft.settings.influx_token.empty());
  EXPECT_TRUE(draft.problems.empty());
}

TEST(Token, InABadFileIsAProblemThatDoesNotShowIt) {
  const TempFolder folder;
  const auto check = [&](const std::string& path, std::string_view want) {
    SettingsDraft draft;
    set(draft, "influx_token_file", path, SettingLayer::environment);
    resolve_token("", draft);
    ASSERT_EQ(draft.problems.size(), 1u) << want;
    EXPECT_EQ(replaced(problems_for_log(draft.problems)[0], folder.path(), "/t"), want);
    EXPECT_TRUE(draft.settings.influx_token.empty());
  };
  check(folder / "none",
        "environment TEST: influx_token: /t/none cannot be opened: no such file or directory; name a file "
        "that exists");
  check(folder.path(), "environment TEST: influx_token: /t is a folder; name a file in it");
  check(folder.write("empty", " \n\n"),
        "environment TEST: influx_token: /t/empty is empty; write the token into it");
  check(folder.write("two", "abc\ndef\n"),
        "environment TEST: influx_token: /t/two holds more than one line; leave only the token in it");
  check(folder.write("nul", std::string("abc\0def", 7)),
        "environment TEST: influx_token: /t/nul holds control characters or is not UTF-8; leave only the "
        "token in it");
  check(folder.write("long", std::string(4097, 'x')),
        "environment TEST: influx_token: /t/long is larger than 4096 bytes; name the right file, or make it "
        "smaller");
}

TEST(Token, MayBeAsLongAsTheLimit) {
  const TempFolder folder;
  SettingsDraft draft;
  set(draft, "influx_token_file", folder.write("long", std::string(4096, 'x')), SettingLayer::environment);
  resolve_token("", draft);
  EXPECT_EQ(draft.settings.influx_token.size_bytes(), 4096u);
}

TEST(Token, InAFileOpenToEveryUserIsAWarning) {
  const TempFolder folder;
  const auto check = [&](mode_t mode, const std::vector<std::string>& want) {
    SettingsDraft draft;
    set(draft, "influx_token_file", folder.write("file", "abc", mode), SettingLayer::environment);
    resolve_token("", draft);
    for (std::string& warning : draft.warnings) warning = replaced(warning, folder.path(), "/t");
    EXPECT_EQ(draft.warnings, want);
    EXPECT_EQ(draft.settings.influx_token.reveal(), "abc");
  };
  check(0644, {"/t/file holds a secret and is open to every user (mode 0644); chmod 0640 /t/file"});
  check(0640, {});
  check(0400, {});
}

}  // namespace
}  // namespace virtmeter
