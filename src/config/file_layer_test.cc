#include "config/file_layer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/text.h"
#include "config/show.h"

namespace virtmeter {
namespace {

SettingsDraft applied(std::string_view text) {
  SettingsDraft draft;
  apply_file_text(text, "v.toml", 0, draft);
  return draft;
}

void check(std::string_view text, std::string_view want) {
  EXPECT_EQ(problems_for_terminal(applied(text).problems), want) << text;
}

TEST(FileLayer, SetsValuesOfEveryTable) {
  const SettingsDraft draft =
      applied("max_queue = 5000\nfile = {path = \"/x\"}\n[http]\nlisten = \"\"\n[libvirt]\nchunk_vms = 7\n");
  EXPECT_EQ(problems_for_terminal(draft.problems), "");
  EXPECT_EQ(draft.settings.max_queue, 5000);
  EXPECT_EQ(draft.settings.file_path, "/x");
  EXPECT_EQ(draft.settings.http_listen, "");
  EXPECT_EQ(draft.settings.libvirt_chunk_vms, 7);
  EXPECT_EQ(origin_text(draft.origin("http.listen")), "v.toml:4");
}

TEST(FileLayer, AcceptsNothingAndEmptyTables) {
  check("", "");
  check("# only words\n[http]\n[libvirt]\n", "");
}

TEST(FileLayer, ShowsAnUnknownKeyUnderItsLine) {
  check("\n[http]\n  listne = \"x\"",
        "v.toml:3:3: unknown key \"listne\" in [http]\n"
        "    3 |   listne = \"x\"\n"
        "      |   ^^^^^^\n"
        "    did you mean \"listen\"?\n");
  check("colour = 1",
        "v.toml:1:1: unknown key \"colour\"\n"
        "    1 | colour = 1\n"
        "      | ^^^^^^\n"
        "    virtmeter config example lists every key\n");
}

TEST(FileLayer, SaysWhereAKeyOfAnotherTableBelongs) {
  check("listen = \"x\"",
        "v.toml:1:1: unknown key \"listen\"\n"
        "    1 | listen = \"x\"\n"
        "      | ^^^^^^\n"
        "    did you mean \"http.listen\", that is listen below [http]?\n");
  check("[http]\npoll_interval = 1",
        "v.toml:2:1: unknown key \"poll_interval\" in [http]\n"
        "    2 | poll_interval = 1\n"
        "      | ^^^^^^^^^^^^^\n"
        "    did you mean \"poll_interval\" at the top level, above the first [table]?\n");
}

TEST(FileLayer, ReportsAMisspelledTableOnce) {
  check("[htp]\nlisten = \"x\"\nport = 1",
        "v.toml:1:2: unknown table \"htp\"\n"
        "    1 | [htp]\n"
        "      |  ^^^\n"
        "    did you mean [http]?\n");
}

TEST(FileLayer, ReportsInAForeignTableTheKeysItKnowsElsewhere) {
  check("[log]\nlevel = \"info\"\ncolour = 1\n[log.more]\n",
        "v.toml:1:2: unknown table \"log\"\n"
        "    1 | [log]\n"
        "      |  ^^^\n"
        "    virtmeter config example lists every table\n"
        "v.toml:2:1: unknown key \"level\" in [log]\n"
        "    2 | level = \"info\"\n"
        "      | ^^^^^\n"
        "    did you mean \"log_level\" at the top level, above the first [table]?\n");
}

TEST(FileLayer, TellsTablesFromValues) {
  check("http = \"127.0.0.1:80\"",
        "v.toml:1:1: \"http\" is a table, not a value\n"
        "    1 | http = \"127.0.0.1:80\"\n"
        "      | ^^^^\n"
        "    write [http] and its keys below it\n");
  check("[[http]]\nlisten = \"x\"",
        "v.toml:1:3: \"http\" is a table, not a value\n"
        "    1 | [[http]]\n"
        "      |   ^^^^\n"
        "    write [http] and its keys below it\n");
  check("[poll_interval]\nseconds = 5",
        "v.toml:1:2: poll_interval must be a duration, got a table\n"
        "    1 | [poll_interval]\n"
        "      |  ^^^^^^^^^^^^^\n"
        "    write a duration, 500ms to 3600s, for example \"5s\"\n");
}

TEST(FileLayer, ReportsEveryBadValue) {
  check("poll_interval = true\nmax_queue = 0\n\tlog_level = \"loud\"\n",
        "v.toml:1:1: poll_interval must be a duration, got true\n"
        "    1 | poll_interval = true\n"
        "      | ^^^^^^^^^^^^^\n"
        "    write a duration, 500ms to 3600s, for example \"5s\"\n"
        "v.toml:2:1: max_queue is too small: 0\n"
        "    2 | max_queue = 0\n"
        "      | ^^^^^^^^^\n"
        "    write a whole number, 1 to 10000000, for example 20000\n"
        "v.toml:3:2: log_level must be one of debug, info, warning, error, got \"loud\"\n"
        "    3 |  log_level = \"loud\"\n"
        "      |  ^^^^^^^^^\n"
        "    write one of debug, info, warning, error, for example \"info\"\n");
}

TEST(FileLayer, ShowsASyntaxErrorUnderItsLine) {
  check("max_queue = 5\npoll_interval = 5s",
        "v.toml:2:18: not valid TOML: decimal integer: expected digit, saw 's'\n"
        "    2 | poll_interval = 5s\n"
        "      |                  ^\n"
        "    a setting is written  key = value  on one line, texts and durations in quotes\n");
  check("max_queue = 5\nmax_queue = 6",
        "v.toml:2:1: defined twice: 'max_queue'\n"
        "    2 | max_queue = 6\n"
        "      | ^^^^^^^^^\n"
        "    keep one of the two\n");
}

TEST(FileLayer, NeverShowsASecret) {
  for (const std::string_view text :
       {"influx_token = \"S3CRET", "influx_token = S3CRET", "influx_token = 53CRET",
        "influx_tokn = \"S3CRET\"", "influx_token = \"S3CRET\\u0007\"", "influx_token = [\"S3CRET\"]",
        "influx_url = \"http://u:S3CRET@h\"", "influx_url = \"http://h?p=S3CRET\"",
        "influx_url = \"http://u:p@h?p=S3CRET\"", "influx_url = \"http://h:1?p=x@S3CRET\"",
        "influx_url = \"http://h?p=x@S3CRET\"", "influx_url = \"http://u:S3CRET@h",
        "influx_token = \"\"\"\nS3CRET\\q\n\"\"\"", "[influx]\ntoken = \"S3CRET\"",
        "influx_token = '''\nx\nS3CRET == \x01", "password = \"S3CRET\" x", "influx_url = \"u:S3CRET@h\""}) {
    const std::string shown = problems_for_terminal(applied(text).problems);
    EXPECT_NE(shown, "") << text;
    EXPECT_EQ(shown.find("3CRET"), std::string::npos) << shown;
  }
}

TEST(FileLayer, HidesALineThatMayHoldASecret) {
  check("influx_token = \"\"\"\nS3CRET\n\"\"\"",
        "v.toml:1:16: a text in triple quotes\n"
        "    1 | influx_token = (hidden)\n"
        "      |                ^\n"
        "    write it on one line, in single or double quotes\n");
  check("influx_token = \"S3CRET",
        "v.toml:1:23: not valid TOML\n"
        "    1 | influx_token = (hidden)\n"
        "      |                       ^\n"
        "    a setting is written  key = value  on one line, texts and durations in quotes\n");
}

TEST(FileLayer, StopsAfterAHundredProblems) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "k" + std::to_string(i) + " = 1\n";
  const SettingsDraft draft = applied(text);
  ASSERT_EQ(draft.problems.size(), 101u);
  EXPECT_EQ(problems_for_log(draft.problems).back(),
            "v.toml:101:1: more problems may follow from here; mend those above first");
}

// Whatever the bytes, the loader ends, and what it says steers no terminal.
void check_survives(const std::string& text) {
  const SettingsDraft draft = applied(text);
  for (const std::string& line : problems_for_log(draft.problems)) ASSERT_EQ(printable(line, 10'000), line);
  const std::string shown = problems_for_terminal(draft.problems);
  for (std::size_t at = 0, end = 0; at < shown.size(); at = end + 1) {
    end = shown.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    const std::string line = shown.substr(at, end - at);
    ASSERT_EQ(printable(line, 10'000), line);
  }
}

// The example with every key switched on.
std::string full_example() {
  std::string text;
  const std::string example = settings_example();
  for (std::size_t at = 0, end = 0; at < example.size(); at = end + 1) {
    end = example.find('\n', at);
    const std::string line = example.substr(at, end - at);
    text += (line.starts_with("# ") && line.find(" = ") != std::string::npos ? line.substr(2) : line) + "\n";
  }
  return text;
}

TEST(FileLayer, SurvivesEveryTruncation) {
  const std::string text = full_example();
  for (std::size_t size = 0; size < text.size(); size += 7) check_survives(text.substr(0, size));
}

TEST(FileLayer, SurvivesDamagedBytes) {
  constexpr std::string_view kPieces =
      "[]{}=.\"'\\#\n\r\t \0\x1b\x80\xFF"
      "019eE+-_:aT";
  std::mt19937 random(20240229);
  const std::string intact = full_example();
  for (int round = 0; round < 1500; ++round) {
    std::string text = intact.substr(random() % 3000, 100 + random() % 1500);
    for (auto edits = 1 + random() % 12; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      const char byte =
          random() % 4 == 0 ? static_cast<char>(random() % 256) : kPieces[random() % kPieces.size()];
      if (random() % 2 == 0) {
        text[at] = byte;
      } else {
        text.insert(at, 1 + random() % 3, byte);
      }
    }
    check_survives(text);
  }
}

TEST(FileLayer, SurvivesRandomBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 1500; ++round) {
    std::string text(random() % 200, ' ');
    for (char& c : text) c = static_cast<char>(random() % 256);
    check_survives(text);
  }
}

}  // namespace
}  // namespace virtmeter
