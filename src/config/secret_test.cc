#include "config/secret.h"

#include <gtest/gtest.h>

#include <concepts>
#include <ostream>

namespace virtmeter {
namespace {

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

TEST(Secret, GivesItsTextOnlyByReveal) {
  static_assert(!Streamable<Secret>);
  static_assert(!std::convertible_to<Secret, std::string>);
  static_assert(!std::convertible_to<std::string, Secret>);
  const Secret secret("abc");
  EXPECT_EQ(secret.reveal(), "abc");
  EXPECT_EQ(secret.size_bytes(), 3u);
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(Secret().empty());
}

}  // namespace
}  // namespace virtmeter
