#include "codec/decimal.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace virtmeter {
namespace {

// The library's own text, and no byte touched behind the bytes that must be free.
void check(std::int64_t value) {
  std::array<char, kDecimalBytesMax + 1> text{};
  text.back() = '#';
  char* const end = put_decimal(text.data(), value);
  ASSERT_EQ(std::string(text.data(), end), std::to_string(value));
  ASSERT_EQ(text.back(), '#') << value;
}

TEST(Decimal, IsExactAtTheEdgesOfEachLength) {
  check(INT64_MIN);
  check(INT64_MAX);
  check(0);
  for (std::int64_t power = 1; power < INT64_MAX / 10; power *= 10) {
    for (const std::int64_t value : {power - 1, power, power + 1, 10 * power - 1, 10 * power}) {
      check(value);
      check(-value);
    }
  }
}

TEST(Decimal, IsExactForAllSmallNumbers) {
  for (std::int64_t value = 0; value < 100'000; ++value) check(value);
}

TEST(Decimal, IsExactForNumbersOfEveryLength) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) check(static_cast<std::int64_t>(random() >> (random() % 64)));
}

}  // namespace
}  // namespace virtmeter
