#include "codec/rfc3339.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

TEST(Rfc3339, WritesUtcToTheMillisecond) {
  const auto check = [](std::int64_t unix_ns, std::string_view want) {
    EXPECT_EQ(rfc3339(WallTime{unix_ns}), want);
  };
  check(0, "1970-01-01T00:00:00.000Z");
  check(1'700'000'000'123'999'999, "2023-11-14T22:13:20.123Z");
  check(951'782'400'000'000'000, "2000-02-29T00:00:00.000Z");
  check(-1, "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace virtmeter
