#include "sink/suspects.h"

#include <gtest/gtest.h>

#include <string>

#include "sink/test_lines.h"

namespace virtmeter {
namespace {

using Indexes = std::vector<std::uint64_t>;

TEST(SeriesOf, EndsBeforeTheFields) {
  EXPECT_EQ(series_of("m,name=a v=1i 17"), "m,name=a");
  EXPECT_EQ(series_of("m,name=a\\ b v=1i 17"), "m,name=a\\ b");
  EXPECT_EQ(series_of("m"), "m");
  EXPECT_EQ(series_of("m\\"), "m\\");
  EXPECT_EQ(series_of(""), "");
}

TEST(Suspects, KnowASeriesAgainAtAnotherTime) {
  Suspects suspects;
  suspects.add("m,name=b v=1i 1");
  const std::string lines = "m,name=a v=1i 2\nm,name=b v=7i 2\nm,name=bb v=1i 2\nm,name=b w=1i 3\n";
  EXPECT_EQ(suspects.among(batch_of(lines, 4)), (Indexes{1, 3}));
  suspects.remove("m,name=b v=1i 9");
  EXPECT_EQ(suspects.among(batch_of(lines, 4)), Indexes{});
}

TEST(Suspects, ForgetTheOldestFirst) {
  Suspects suspects;
  const int over = static_cast<int>(Suspects::kSeriesMax) + 2;
  for (int i = 0; i < over; ++i) suspects.add(test_line(i));
  suspects.add(test_line(over - 1));
  EXPECT_EQ(suspects.among(batch_of(test_lines(0, 4), 4)), (Indexes{2, 3}));
  suspects.remove(test_line(2));
  suspects.add(test_line(0));
  EXPECT_EQ(suspects.among(batch_of(test_lines(0, 4), 4)), (Indexes{0, 3}));
}

TEST(Suspects, TakeALastLineWithoutAnEnd) {
  Suspects suspects;
  suspects.add("m v=1");
  EXPECT_EQ(suspects.among(batch_of("n v=1\nm v=1", 2)), (Indexes{1}));
  EXPECT_EQ(suspects.among(batch_of("", 0)), Indexes{});
}

}  // namespace
}  // namespace virtmeter
