#include "spool/batch.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

TEST(Batch, IsCutAtLineEnds) {
  const Batch batch{"a v=1\nbb v=2\nccc v=3\n", 3, 40};
  EXPECT_EQ(first_lines(batch, 1).bytes, "a v=1\n");
  EXPECT_EQ(first_lines(batch, 2).bytes, "a v=1\nbb v=2\n");
  EXPECT_EQ(first_lines(batch, 2).line_count, 2u);
  EXPECT_EQ(first_lines(batch, 2).end_line(), 42u);
  EXPECT_TRUE(first_lines(batch, 9).same_lines_as(batch));
  EXPECT_FALSE(first_lines(batch, 2).same_lines_as(batch));
}

TEST(Batch, GivesSingleLines) {
  const Batch batch{"a v=1\nbb v=2\n", 2, 0};
  EXPECT_EQ(line_at(batch, 0), "a v=1");
  EXPECT_EQ(line_at(batch, 1), "bb v=2");
  EXPECT_EQ(line_at(batch, 2), "");
}

}  // namespace
}  // namespace virtmeter
