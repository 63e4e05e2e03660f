#include "net/retry_after.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::seconds;

TEST(RetryAfter, ReadsSecondsAndDates) {
  constexpr WallTime kNow{1'700'000'000'000'000'000};  // Tue, 14 Nov 2023 22:13:20 GMT
  const auto check = [&](std::string_view value, std::optional<seconds> want) {
    EXPECT_EQ(parse_retry_after(value, kNow), want) << value;
  };
  check("0", seconds(0));
  check("120", seconds(120));
  check(" 7 ", seconds(7));
  check("99999999", seconds(86400));
  check("99999999999999999999999", seconds(86400));
  check("Tue, 14 Nov 2023 22:14:20 GMT", seconds(60));
  check("Tuesday, 14-Nov-23 22:14:20 GMT", seconds(60));
  check("Tue, 14 Nov 2023 22:00:00 GMT", seconds(0));
  check("Fri, 31 Dec 2077 00:00:00 GMT", seconds(86400));
  check("", std::nullopt);
  check("-1", std::nullopt);
  check("soon", std::nullopt);
}

}  // namespace
}  // namespace virtmeter
