#include "sink/search_budget.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const BootTime kStart{std::chrono::hours(1)};

TEST(SearchBudget, IsFullAtFirstAndThenSpent) {
  SearchBudget budget(10, 1, kStart);
  EXPECT_TRUE(budget.spend(4, kStart));
  EXPECT_TRUE(budget.spend(6, kStart));
  EXPECT_FALSE(budget.spend(1, kStart));
  EXPECT_TRUE(budget.spend(0, kStart));
}

TEST(SearchBudget, SpendsNothingWhenThereIsTooLittle) {
  SearchBudget budget(10, 1, kStart);
  EXPECT_FALSE(budget.spend(11, kStart));
  EXPECT_TRUE(budget.spend(10, kStart));
}

TEST(SearchBudget, FillsWithTime) {
  SearchBudget budget(10, 2, kStart);
  EXPECT_TRUE(budget.spend(10, kStart));
  EXPECT_FALSE(budget.spend(1, kStart + milliseconds(999)));
  // The half second that is not counted yet is not lost.
  EXPECT_TRUE(budget.spend(2, kStart + milliseconds(1500)));
  EXPECT_TRUE(budget.spend(2, kStart + milliseconds(2000)));
  EXPECT_FALSE(budget.spend(1, kStart + milliseconds(2000)));
}

TEST(SearchBudget, NeverHoldsMoreThanItsSize) {
  SearchBudget budget(10, 1, kStart);
  EXPECT_TRUE(budget.spend(5, kStart + seconds(1)));
  EXPECT_FALSE(budget.spend(11, kStart + std::chrono::hours(1'000'000)));
  EXPECT_TRUE(budget.spend(10, kStart + std::chrono::hours(1'000'000)));
}

}  // namespace
}  // namespace virtmeter
