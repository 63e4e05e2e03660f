#include "config/toml_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace virtmeter {
namespace {

// One line an entry: "line:column+width key kind", or "error line:column what; fix".
std::string summary(std::string_view text) {
  constexpr std::array<std::string_view, 8> kKinds = {"plain",   "string", "integer", "number",
                                                      "boolean", "date",   "array",   "table"};
  const auto read = read_toml(text);
  if (const auto* error = std::get_if<TomlSyntaxError>(&read)) {
    return "error " + std::to_string(error->line) + ":" + std::to_string(error->column) + "+" +
           std::to_string(error->width) + " " + error->what + "; " + error->fix;
  }
  std::string out;
  for (const TomlEntry& entry : std::get<std::vector<TomlEntry>>(read)) {
    out += std::to_string(entry.line) + ":" + std::to_string(entry.column) + "+" +
           std::to_string(entry.width) + " " + entry.key + " " +
           std::string(kKinds[static_cast<std::size_t>(entry.value.kind)]) + "\n";
  }
  return out;
}

TEST(TomlReader, ListsEveryKeyInTheOrderOfTheText) {
  EXPECT_EQ(summary("z = 1\n"
                    "a = \"x\"\n"
                    "http.listen = 'y'\n"
                    "[libvirt]\n"
                    "  chunk_vms = 1.5\n"
                    "[file]\n"
                    "path = true\n"
                    "when = 2020-01-01\n"
                    "list = [1, 2]\n"
                    "inner = {x = 1}\n"
                    "[[many]]\n"
                    "\"a.b\" = 1\n"),
            "1:1+1 z integer\n"
            "2:1+1 a string\n"
            "3:1+4 http table\n"
            "3:6+6 http.listen string\n"
            "4:2+7 libvirt table\n"
            "5:3+9 libvirt.chunk_vms number\n"
            "6:2+4 file table\n"
            "7:1+4 file.path boolean\n"
            "8:1+4 file.when date\n"
            "9:1+4 file.list array\n"
            "10:1+5 file.inner table\n"
            "10:10+1 file.inner.x integer\n"
            "11:3+4 many array\n");
}

TEST(TomlReader, KeepsAQuotedDotApart) {
  EXPECT_EQ(summary("\"http.listen\" = 1"), "1:1+13 \"http.listen\" integer\n");
}

TEST(TomlReader, SkipsAByteOrderMark) {
  EXPECT_EQ(summary("\xEF\xBB\xBF"
                    "a = 1"),
            "1:1+1 a integer\n");
}

TEST(TomlReader, TellsTheFirstErrorWithItsPlace) {
  const std::string form = "; a setting is written  key = value  on one line, texts and durations in quotes";
  const auto check = [](std::string_view text, const std::string& want) {
    EXPECT_EQ(summary(text), want) << text;
  };
  check("a = 1\nb 2", "error 2:3+1 not valid TOML: key-value pair: expected '=', saw '2'" + form);
  check("a = 5s", "error 1:6+1 not valid TOML: decimal integer: expected digit, saw 's'" + form);
  check("a = x", "error 1:5+1 not valid TOML: value: could not determine value type" + form);
  check("a = 1\n  b  = 2\n  b  = 3", "error 3:3+1 defined twice: 'b'; keep one of the two");
  check("[a]\n[b]\n[a]", "error 3:1+3 defined twice: 'a'; keep one of the two");
  check("a.b = 1\n[[a.b]]", "error 2:1+7 defined twice: 'a.b'; keep one of the two");
}

TEST(TomlReader, OutlivesATableHeaderThatBeginsWithNoKey) {
  const std::string form = "; a setting is written  key = value  on one line, texts and durations in quotes";
  EXPECT_EQ(summary("[=]"),
            "error 1:2+1 not valid TOML: key: expected bare key starting character or string delimiter, "
            "saw '='" +
                form);
  for (const std::string_view text : {"[[#", "[ \n", "[.", "[\xC3\xA9]", "[[ {", "[+1]"}) {
    EXPECT_TRUE(summary(text).starts_with("error 1:")) << summary(text);
  }
}

TEST(TomlReader, RefusesANulByte) {
  EXPECT_TRUE(summary(std::string("a = \"x\0y\"", 9)).starts_with("error 1:"));
  EXPECT_TRUE(summary(std::string("\0", 1)).starts_with("error 1:1"));
}

TEST(TomlReader, AsksTheGuardFirst) {
  EXPECT_EQ(summary("a = 1\nb = \"\xFF\""),
            "error 2:6+1 not UTF-8 text; save the file in the encoding UTF-8");
  std::string dotted = "a";
  for (int i = 0; i < 200'000; ++i) dotted += ".a";
  EXPECT_EQ(summary("[" + dotted + "]"),
            "error 1:203+1 too many dots in one line; no setting needs more than one");
}

TEST(TomlReader, BoundsTheNumberAndLengthOfKeys) {
  std::string many;
  for (int i = 0; i < 10'001; ++i) many += "k" + std::to_string(i) + "=1\n";
  EXPECT_EQ(summary(many), "error 1:1+1 more than 10000 keys; virtmeter config example lists every key");
  const std::string name(1000, 'x');
  EXPECT_EQ(summary("[" + name + "]\na = 1"), "1:2+1000 " + name + " table\n");
}

}  // namespace
}  // namespace virtmeter
