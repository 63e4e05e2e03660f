#include "config/draft.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

SettingPlace flag() { return {.layer = SettingLayer::command_line, .name = "--max-queue"}; }

TEST(SettingsDraft, RemembersWhereAValueCameFrom) {
  SettingsDraft draft;
  EXPECT_EQ(origin_text(draft.origin("max_queue")), "default");
  draft.set(*find_option("max_queue"), SettingValue::from_text("5"), flag());
  EXPECT_EQ(draft.settings.max_queue, 5);
  EXPECT_EQ(origin_text(draft.origin("max_queue")), "--max-queue");
  EXPECT_FALSE(draft.is_refused("max_queue"));
  EXPECT_TRUE(draft.problems.empty());
}

TEST(SettingsDraft, KeepsTheEarlierValueOfARefusedOne) {
  SettingsDraft draft;
  draft.set(*find_option("max_queue"), SettingValue::from_text("x"), flag());
  EXPECT_EQ(draft.settings.max_queue, 20000);
  EXPECT_EQ(origin_text(draft.origin("max_queue")), "default");
  EXPECT_TRUE(draft.is_refused("max_queue"));
  ASSERT_EQ(draft.problems.size(), 1u);
  EXPECT_EQ(draft.problems[0].what, "max_queue must be a whole number, got \"x\"");
  EXPECT_EQ(place_text(draft.problems[0].place), "--max-queue");
}

TEST(KeySuggestion, SaysWhereTheKeyBelongs) {
  const auto check = [](std::string_view key, KeySyntax syntax, std::string_view want) {
    EXPECT_EQ(key_suggestion(key, syntax), want);
  };
  check("pol_interval", KeySyntax::file, "did you mean \"poll_interval\"?");
  check("listen", KeySyntax::file, "did you mean \"http.listen\", that is listen below [http]?");
  check("http.listne", KeySyntax::file, "did you mean \"listen\"?");
  check("http.poll_interval", KeySyntax::file,
        "did you mean \"poll_interval\" at the top level, above the first [table]?");
  check("listen", KeySyntax::dotted, "did you mean \"http.listen\"?");
  check("http.listne", KeySyntax::dotted, "did you mean \"http.listen\"?");
  check("colour", KeySyntax::file, "virtmeter config example lists every key");
}

}  // namespace
}  // namespace virtmeter
