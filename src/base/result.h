// Result<T> and Status: what the world may do wrong, as a value.
//
// An Error is a kind, chosen by what the caller can do about it, and a lower-case clause with the object
// first
// ("open /var/lib/virtmeter: permission denied"); fix, when set, is the sentence that tells an operator what
// to do. A dropped Result or Status fails the build. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace virtmeter {

enum class Errc : std::uint8_t {
  not_found,    // The thing named does not exist (VM, file, database).
  invalid,      // The input is wrong and stays wrong; do not repeat.
  corrupt,      // Data that was fine once is damaged.
  unavailable,  // Not now; repeat later.
  timeout,      // No answer within the time it was given; what was asked may still be at work on it.
  permission,   // The world refuses us.
  limit,        // A stated bound would be passed.
  io,           // The disk or the kernel failed.
};

struct Error {
  Errc code = Errc::io;
  std::string message;
  std::string fix;

  // The same error with the caller's context in front of the message.
  Error within(const std::string& context) && {
    message = context + ": " + message;
    return std::move(*this);
  }
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  bool has_value() const { return state_.index() == 0; }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

// Success, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)), failed_(true) {}

  static Status ok() { return {}; }

  explicit operator bool() const { return !failed_; }
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool failed_ = false;
};

}  // namespace virtmeter
