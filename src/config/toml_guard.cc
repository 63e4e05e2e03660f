#include "config/toml_guard.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/text.h"

namespace virtmeter {
namespace {

constexpr std::size_t kDotsPerLineMax = 100;
constexpr std::size_t kBracketsMax = 16;

// What word processors and web pages make of '"' and '\''.
constexpr std::array<std::string_view, 5> kTypographicQuotes = {"\u201C", "\u201D", "\u201E", "\u2018",
                                                                "\u2019"};

// What the scan found wrong; it knows the column, its caller the line.
struct Fault {
  std::string what;
  std::string fix;
};

Fault strange_character(std::string_view character) {
  const bool quote =
      std::find(kTypographicQuotes.begin(), kTypographicQuotes.end(), character) != kTypographicQuotes.end();
  return {"not valid TOML: '" + printable(character) + "' outside of quotes",
          quote ? "write straight quotes: \"" : "put texts in quotes: \""};
}

// Follows quotes, comments and brackets through one line after the other. A text that is still open at the
// end of its line is toml++'s to refuse: it reads no further.
class Scanner {
 public:
  void begin_line() {
    dots_ = 0;
    comment_ = false;
    escaped_ = false;
    quote_ = '\0';
  }

  // `rest` begins with a whole UTF-8 character.
  std::optional<Fault> step(std::string_view rest, std::size_t length) {
    const char c = rest.front();
    if (comment_) return std::nullopt;
    if (quote_ != '\0') {
      step_in_text(c);
      return std::nullopt;
    }
    if (length > 1) return strange_character(rest.substr(0, length));
    return step_outside(rest, c);
  }

 private:
  void step_in_text(char c) {
    if (escaped_) {
      escaped_ = false;
    } else if (quote_ == '"' && c == '\\') {
      escaped_ = true;
    } else if (c == quote_) {
      quote_ = '\0';
    }
  }

  std::optional<Fault> step_outside(std::string_view rest, char c) {
    if (rest.starts_with("\"\"\"") || rest.starts_with("'''")) {
      return Fault{"a text in triple quotes", "write it on one line, in single or double quotes"};
    }
    if (c == '"' || c == '\'') quote_ = c;
    if (c == '#') comment_ = true;
    if (c == '[' || c == '{') ++brackets_;
    if ((c == ']' || c == '}') && brackets_ > 0) --brackets_;
    if (c == '.') ++dots_;
    if (brackets_ > kBracketsMax) return Fault{"brackets nested too deep", "no setting needs more than one"};
    if (dots_ > kDotsPerLineMax) return Fault{"too many dots in one line", "no setting needs more than one"};
    return std::nullopt;
  }

  std::size_t brackets_ = 0;
  std::size_t dots_ = 0;
  bool comment_ = false;
  bool escaped_ = false;
  char quote_ = '\0';
};

}  // namespace

std::optional<TomlSyntaxError> check_toml_is_safe(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Scanner scanner;
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    const auto fault = length == 0 ? Fault{"not UTF-8 text", "save the file in the encoding UTF-8"}
                                   : scanner.step(text, length);
    if (fault) return TomlSyntaxError{.what = fault->what, .fix = fault->fix, .line = line, .column = column};
    ++column;
    if (text.front() == '\n') {
      scanner.begin_line();
      ++line;
      column = 1;
    }
    text.remove_prefix(length);
  }
  return std::nullopt;
}

}  // namespace virtmeter
