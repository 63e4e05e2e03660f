#include "codec/line_protocol_decoder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/text.h"

namespace virtmeter {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// float = ["-"] (digits ["." [digits]] | "." digits) [("e"|"E") ["+"|"-"] digits]
bool is_float(std::string_view text) {
  const auto skip_digits = [&text] {
    const std::size_t before = text.size();
    while (!text.empty() && is_digit(text.front())) text.remove_prefix(1);
    return before - text.size();
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  std::size_t digits = skip_digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += skip_digits();
  }
  if (digits == 0) return false;
  if (!text.starts_with('e') && !text.starts_with('E')) return text.empty();
  text.remove_prefix(1);
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return skip_digits() > 0 && text.empty();
}

template <typename Number>
std::optional<Number> parse_whole(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  if (!is_float(text)) return std::nullopt;
  if (const auto value = parse_whole<double>(text)) return value;
  // Out of range: what is too small for a double is 0, what is too large is no number.
  const double value = std::strtod(std::string(text).c_str(), nullptr);
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<bool> parse_bool(std::string_view text) {
  constexpr std::array<std::string_view, 5> kTrue = {"t", "T", "true", "True", "TRUE"};
  constexpr std::array<std::string_view, 5> kFalse = {"f", "F", "false", "False", "FALSE"};
  if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) return false;
  return std::nullopt;
}

std::optional<FieldValue> parse_number(std::string_view text) {
  const std::string_view digits = text.substr(0, text.size() - 1);
  if (text.back() == 'i') return parse_whole<std::int64_t>(digits);
  if (text.back() == 'u') return parse_whole<std::uint64_t>(digits);
  return parse_float(text);
}

// Reads one line from the left. The first thing that is wrong ends it: failed() is then true, and what is
// read after that means nothing.
class LineParser {
 public:
  explicit LineParser(std::string_view text) : text_(text) {}

  Result<Point> parse() {
    skip_spaces();
    Point point;
    point.measurement = name("measurement", ", ");
    if (take(',')) read_tags(point);
    expect_spaces();
    read_fields(point);
    read_time(point);
    if (failed()) return Error{Errc::invalid, error_, ""};
    return point;
  }

  // How much of the text the line took, with its LF.
  std::size_t consumed() const { return at_; }

 private:
  bool failed() const { return !error_.empty(); }
  void fail(std::string_view what, std::size_t where) {
    if (!failed()) error_ = "column " + std::to_string(where + 1) + ": " + std::string(what);
  }
  void fail(std::string_view what) { fail(what, at_); }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\n'; }
  bool at_end() const {
    return peek() == '\n' || text_.substr(at_) == "\r" || text_.substr(at_).starts_with("\r\n");
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(std::string("expected '") + c + "'");
  }
  void skip_spaces() {
    while (take(' ')) {
    }
  }
  void expect_spaces() {
    if (peek() != ' ') fail("expected a space and a field");
    skip_spaces();
  }

  // A measurement, key or tag value: up to the first of `ends` that no backslash precedes. A backslash before
  // any other character stands for itself.
  std::string name(std::string_view what, std::string_view ends) {
    const std::size_t start = at_;
    std::string out;
    for (; at_ < text_.size() && !is_control(text_[at_]); ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() &&
          ends.find(text_[at_ + 1]) != std::string_view::npos) {
        ++at_;
      } else if (ends.find(text_[at_]) != std::string_view::npos) {
        break;
      }
      out += text_[at_];
    }
    if (at_ < text_.size() && is_control(text_[at_]) && !at_end()) fail("control character");
    if (out.empty()) fail(std::string("expected a ") + std::string(what));
    if (!is_utf8(out)) fail("invalid UTF-8 in " + std::string(what), start);
    return out;
  }

  void read_tags(Point& point) {
    do {
      std::string key = name("tag key", ",= ");
      expect('=');
      std::string value = name("tag value", ",= ");
      point.tags.emplace_back(std::move(key), std::move(value));
    } while (!failed() && take(','));
    std::sort(point.tags.begin(), point.tags.end());
    const auto same = std::adjacent_find(point.tags.begin(), point.tags.end(),
                                         [](const auto& a, const auto& b) { return a.first == b.first; });
    if (same != point.tags.end()) fail("tag key given twice: " + printable(same->first));
  }

  void read_fields(Point& point) {
    do {
      std::string key = name("field key", ",= ");
      expect('=');
      point.fields.emplace_back(std::move(key), value());
    } while (!failed() && take(','));
  }

  FieldValue value() {
    if (take('"')) return string_value();
    const std::size_t start = at_;
    while (peek() != ',' && peek() != ' ' && !at_end()) ++at_;
    const std::string_view text = text_.substr(start, at_ - start);
    std::optional<FieldValue> value;
    if (!text.empty()) value = parse_bool(text);
    if (!text.empty() && !value) value = parse_number(text);
    if (!value) fail("expected a field value", start);
    return value.value_or(false);
  }

  // Behind the opening quote. A backslash before any character but '"' and '\' stands for itself.
  std::string string_value() {
    const std::size_t start = at_;
    std::string out;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      const bool escape = text_[at_] == '\\' && at_ + 1 < text_.size();
      if (escape && (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\')) ++at_;
      out += text_[at_];
    }
    if (!take('"')) fail("string without its closing quote", start);
    if (!is_utf8(out)) fail("invalid UTF-8 in string", start);
    return out;
  }

  void read_time(Point& point) {
    if (!at_end() && peek() != ' ') fail("expected ',', a space or the end");
    skip_spaces();
    const std::size_t start = at_;
    while (peek() == '-' || is_digit(peek())) ++at_;
    if (at_ > start) {
      point.time = parse_whole<std::int64_t>(text_.substr(start, at_ - start));
      if (!point.time) fail("timestamp out of range or not a number", start);
    }
    skip_spaces();
    if (!at_end()) fail("expected a timestamp or the end");
    take('\r');
    take('\n');
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
};

// Takes the line up to its LF.
void skip_line(std::string_view& text) { text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1); }

// Whether the line has no point: spaces only, or a comment.
bool is_blank(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.empty() || text == "\r" || text.front() == '\n' || text.front() == '#' ||
         text.starts_with("\r\n");
}

}  // namespace

std::optional<Result<Point>> LineDecoder::next() {
  while (!rest_.empty() && is_blank(rest_)) skip_line(rest_);
  if (rest_.empty()) return std::nullopt;
  LineParser parser(rest_);
  Result<Point> point = parser.parse();
  if (point) {
    rest_.remove_prefix(parser.consumed());
  } else {
    skip_line(rest_);
  }
  return point;
}

Result<Point> decode_line(std::string_view line) {
  LineParser parser(line);
  if (line.empty() || is_blank(line)) return Error{Errc::invalid, "column 1: expected a measurement", ""};
  Result<Point> point = parser.parse();
  if (point && parser.consumed() != line.size()) {
    return Error{Errc::invalid, "column " + std::to_string(parser.consumed() + 1) + ": expected the end", ""};
  }
  return point;
}

}  // namespace virtmeter
