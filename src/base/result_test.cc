#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace virtmeter {
namespace {

Result<std::unique_ptr<int>> make(bool good) {
  if (!good) return Error{Errc::not_found, "open x: no such file", ""};
  return std::make_unique<int>(7);
}

TEST(Result, CarriesAMoveOnlyValue) {
  auto result = make(true);
  ASSERT_TRUE(result);
  const std::unique_ptr<int> value = std::move(result).value();
  EXPECT_EQ(*value, 7);
}

TEST(Result, CarriesAnErrorWithContext) {
  auto result = make(false);
  ASSERT_FALSE(result);
  const Error error = std::move(std::move(result).error()).within("read settings");
  EXPECT_EQ(error.code, Errc::not_found);
  EXPECT_EQ(error.message, "read settings: open x: no such file");
}

TEST(Status, IsGoodUnlessMadeFromAnError) {
  EXPECT_TRUE(Status::ok());
  EXPECT_FALSE(Status(Error{Errc::io, "write x: disk full", ""}));
}

}  // namespace
}  // namespace virtmeter
