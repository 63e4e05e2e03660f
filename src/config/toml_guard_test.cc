#include "config/toml_guard.h"

#include <gtest/gtest.h>

#include <string>

namespace virtmeter {
namespace {

// "line:column what; fix", or "" when toml++ may see the text.
std::string verdict(std::string_view text) {
  const auto error = check_toml_is_safe(text);
  if (!error) return "";
  return std::to_string(error->line) + ":" + std::to_string(error->column) + " " + error->what + "; " +
         error->fix;
}

std::string repeated(std::string_view piece, int times) {
  std::string out;
  for (; times > 0; --times) out += piece;
  return out;
}

TEST(TomlGuard, PassesWhatPeopleWrite) {
  for (const std::string_view text :
       {"", "a = 1", "\xEF\xBB\xBF# x", "# d\xC3\xA9j\xC3\xA0 \"vu'\nb = 'x'",
        "a = \"d\xC3\xA9\" # \xE2\x82\xAC", "a = '\xC3\xA9\\'", "a = \"\\\"\xC3\xA9\"", "a = \"\"\nb = ''",
        "\"\xC3\xA9\" = 1", "a = \"'''\"", "# \"\"\"\n"}) {
    EXPECT_EQ(verdict(text), "");
  }
}

TEST(TomlGuard, RefusesWhatIsNotUtf8) {
  const std::string want = " not UTF-8 text; save the file in the encoding UTF-8";
  EXPECT_EQ(verdict("\xFF"), "1:1" + want);
  EXPECT_EQ(verdict("a = 1\nb = \"\xC3\xA9\xFF\""), "2:7" + want);
  EXPECT_EQ(verdict("# caf\xE9"), "1:6" + want);
}

TEST(TomlGuard, RefusesNonAsciiOutsideOfQuotes) {
  EXPECT_EQ(verdict("a = 1\n\xC3\xA9 = 1"),
            "2:1 not valid TOML: '\xC3\xA9' outside of quotes; put texts in quotes: \"");
  EXPECT_EQ(verdict("a = \xE2\x80\x9Cx\xE2\x80\x9D"),
            "1:5 not valid TOML: '\xE2\x80\x9C' outside of quotes; write straight quotes: \"");
  EXPECT_EQ(verdict("a\xC2\xA0= 1"),
            "1:2 not valid TOML: '\xC2\xA0' outside of quotes; put texts in quotes: \"");
  EXPECT_EQ(verdict("a = \"x\\\\\"\xC3\xA9"),
            "1:10 not valid TOML: '\xC3\xA9' outside of quotes; put texts in quotes: \"");
}

TEST(TomlGuard, RefusesTripleQuotes) {
  const std::string want = " a text in triple quotes; write it on one line, in single or double quotes";
  EXPECT_EQ(verdict("a = \"\"\"x\"\"\""), "1:5" + want);
  EXPECT_EQ(verdict("a = 1\nb = '''"), "2:5" + want);
}

TEST(TomlGuard, RefusesDepthThatWouldUseUpTheStack) {
  const std::string dots = " too many dots in one line; no setting needs more than one";
  EXPECT_EQ(verdict(repeated("a.", 101) + "a = 1"), "1:202" + dots);
  EXPECT_EQ(verdict("[" + repeated("a.", 100) + "a]\n" + repeated("a.", 100) + "a = 1"), "");
  EXPECT_EQ(verdict("# " + repeated(".", 300) + "\na = '" + repeated(".", 300) + "'"), "");
  const std::string brackets = " brackets nested too deep; no setting needs more than one";
  EXPECT_EQ(verdict("a = " + repeated("[", 17)), "1:21" + brackets);
  EXPECT_EQ(verdict("a = " + repeated("[\n{b=", 9)), "9:4" + brackets);
  EXPECT_EQ(verdict(repeated("[a]\n[[b]]\n", 100)), "");
}

}  // namespace
}  // namespace virtmeter
