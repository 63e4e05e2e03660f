#include "base/function_ref.h"

#include <gtest/gtest.h>

#include <string>

namespace virtmeter {
namespace {

int twice(FunctionRef<int(int)> function) { return function(1) + function(2); }

TEST(FunctionRef, CallsWhatItRefersTo) {
  int sum = 0;
  EXPECT_EQ(twice([&sum](int n) { return sum += n; }), 4);
  EXPECT_EQ(sum, 3);
}

TEST(FunctionRef, PassesReferencesAndConstCallables) {
  const auto append = [](std::string& text, std::string_view more) { text += more; };
  const FunctionRef<void(std::string&, std::string_view)> reference = append;
  std::string text = "a";
  reference(text, "b");
  EXPECT_EQ(text, "ab");
}

}  // namespace
}  // namespace virtmeter
