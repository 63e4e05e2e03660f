#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace virtmeter {
namespace {

// RFC 3720 B.4, and the check value of the catalogues of checksums.
TEST(Crc32c, GivesThePublishedValues) {
  std::string ascending;
  for (char byte = 0; byte < 32; ++byte) ascending += byte;
  const auto check = [](const std::string& input, std::uint32_t want) {
    EXPECT_EQ(crc32c(input), want);
    EXPECT_EQ(crc32c_portable(input), want);
  };
  check("", 0);
  check("123456789", 0xE3069283);
  check(std::string(32, '\0'), 0x8A9136AA);
  check(std::string(32, '\xFF'), 0x62A8AB43);
  check(ascending, 0x46DD794E);
}

TEST(Crc32c, IsTheSameByEitherWayAtEveryLengthAndAlignment) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += static_cast<char>(i * 37);
  for (std::size_t begin = 0; begin < 9; ++begin) {
    for (std::size_t size = 0; begin + size <= bytes.size(); ++size) {
      const std::string_view part = std::string_view(bytes).substr(begin, size);
      ASSERT_EQ(crc32c(part), crc32c_portable(part)) << begin << " " << size;
    }
  }
}

TEST(Crc32c, GoesOnWhereAPartEnded) {
  const std::string_view text = "virtmeter keeps what it has read";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    ASSERT_EQ(crc32c(text.substr(cut), crc32c(text.substr(0, cut))), crc32c(text));
  }
}

}  // namespace
}  // namespace virtmeter
