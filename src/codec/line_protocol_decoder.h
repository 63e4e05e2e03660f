// LineDecoder: line protocol, read strictly by its grammar (no server's leniency): for tests, fuzzers and the
// import of history. Refused are also control characters and invalid UTF-8 in names, invalid UTF-8 in
// strings, and a tag key given twice; a CR before the LF is accepted. Not thread-safe; decode_line() is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace virtmeter {

using FieldValue = std::variant<std::int64_t, std::uint64_t, double, bool, std::string>;

struct Point {
  std::string measurement;
  // Sorted by key, bytewise.
  std::vector<std::pair<std::string, std::string>> tags;
  // In the line's order; a key may stand there twice.
  std::vector<std::pair<std::string, FieldValue>> fields;
  // In the precision the line was written with.
  std::optional<std::int64_t> time;

  friend bool operator==(const Point&, const Point&) = default;
};

class LineDecoder {
 public:
  explicit LineDecoder(std::string_view text) : rest_(text) {}

  // The next line's point, or what is wrong with it ("column 12: ...", counted in bytes from 1); nothing at
  // the end. Empty lines and comments are passed over. A LF inside a string does not end its line, but a line
  // that is wrong ends at its first LF.
  std::optional<Result<Point>> next();

 private:
  std::string_view rest_;
};

// One line, with or without its LF.
Result<Point> decode_line(std::string_view line);

}  // namespace virtmeter
