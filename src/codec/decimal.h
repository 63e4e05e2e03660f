// Whole numbers as decimal text, four digits at a time: an encoder spends most of its time here. Pure
// functions. Thread-safe.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace virtmeter {

inline constexpr std::size_t kDecimalBytesMax = 20;  // Of INT64_MIN.

namespace decimal {

// "0000" to "9999".
inline constexpr auto kFourDigits = [] {
  std::array<std::array<char, 4>, 10'000> texts{};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::size_t rest = i;
    for (std::size_t place = 4; place-- > 0; rest /= 10) texts[i][place] = static_cast<char>('0' + rest % 10);
  }
  return texts;
}();

inline char* put_four(char* at, std::uint32_t value) {
  std::memcpy(at, kFourDigits[value].data(), 4);
  return at + 4;
}

inline char* put_eight(char* at, std::uint32_t value) {
  return put_four(put_four(at, value / 10'000), value % 10'000);
}

// Without leading zeros. Writes up to four bytes behind the number, too.
inline char* put_up_to_four(char* at, std::uint32_t value) {
  const std::size_t zeros = (value < 10 ? 1u : 0u) + (value < 100 ? 1u : 0u) + (value < 1000 ? 1u : 0u);
  std::uint32_t digits = 0;
  std::memcpy(&digits, kFourDigits[value].data(), 4);
  if constexpr (std::endian::native == std::endian::little) {
    digits >>= 8 * zeros;
    std::memcpy(at, &digits, 4);
  } else {
    std::memcpy(at, kFourDigits[value].data() + zeros, 4 - zeros);
  }
  return at + (4 - zeros);
}

inline char* put_up_to_eight(char* at, std::uint32_t value) {
  if (value < 10'000) return put_up_to_four(at, value);
  return put_four(put_up_to_four(at, value / 10'000), value % 10'000);
}

}  // namespace decimal

// Writes the number at `at`, where kDecimalBytesMax bytes must be free, and returns where it ends. What is
// behind the end may be written to as well, within those bytes.
inline char* put_decimal(char* at, std::int64_t value) {
  auto rest = static_cast<std::uint64_t>(value);
  if (value < 0) {
    *at++ = '-';
    rest = 0 - rest;
  }
  constexpr std::uint64_t kEight = 100'000'000;
  if (rest < kEight) return decimal::put_up_to_eight(at, static_cast<std::uint32_t>(rest));
  const auto low = static_cast<std::uint32_t>(rest % kEight);
  rest /= kEight;
  if (rest < kEight)
    return decimal::put_eight(decimal::put_up_to_eight(at, static_cast<std::uint32_t>(rest)), low);
  const auto middle = static_cast<std::uint32_t>(rest % kEight);
  at = decimal::put_up_to_four(at, static_cast<std::uint32_t>(rest / kEight));
  return decimal::put_eight(decimal::put_eight(at, middle), low);
}

}  // namespace virtmeter
