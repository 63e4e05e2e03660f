// A text that never prints itself: no stream operator, no conversion. Only reveal() gives it out, so every
// place that does is found by that name. Not thread-safe.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <utility>

namespace virtmeter {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  std::size_t size_bytes() const { return text_.size(); }

  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;

 private:
  std::string text_;
};

}  // namespace virtmeter
