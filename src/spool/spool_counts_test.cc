#include "spool/spool_counts.h"

#include <gtest/gtest.h>

#include <set>

namespace virtmeter {
namespace {

TEST(SpoolCounts, NamesEveryReason) {
  EXPECT_EQ(name_of(DropReason::evicted), "evicted");
  EXPECT_EQ(name_of(DropReason::shutdown), "shutdown");
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kDropReasons; ++i) names.insert(name_of(static_cast<DropReason>(i)));
  EXPECT_EQ(names.size(), kDropReasons);
}

TEST(SpoolCounts, AddsUp) {
  ReaderCounts counts;
  counts.collected = 10;
  counts.delivered = 3;
  counts.waiting = 2;
  counts.in_flight = 1;
  counts.dropped[DropReason::corrupt] = 3;
  EXPECT_FALSE(counts.conserved());
  counts.dropped[DropReason::expired] = 1;
  EXPECT_TRUE(counts.conserved());
  EXPECT_EQ(counts.dropped.total(), 4u);
}

}  // namespace
}  // namespace virtmeter
