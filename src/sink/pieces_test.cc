#include "sink/pieces.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

std::vector<std::uint64_t> rest_of(Pieces pieces) {
  std::vector<std::uint64_t> sizes;
  for (; !pieces.empty(); pieces.done()) sizes.push_back(pieces.next());
  return sizes;
}

using Sizes = std::vector<std::uint64_t>;

TEST(Pieces, BeginAsOne) { EXPECT_EQ(rest_of(Pieces(7)), (Sizes{7})); }

TEST(Pieces, HalveTheNextOne) {
  Pieces pieces(7);
  pieces.halve();
  EXPECT_EQ(rest_of(pieces), (Sizes{4, 3}));
  pieces.halve();
  EXPECT_EQ(rest_of(pieces), (Sizes{2, 2, 3}));
  pieces.done();
  pieces.done();
  pieces.halve();
  EXPECT_EQ(rest_of(pieces), (Sizes{2, 1}));
}

TEST(Pieces, IsolateLines) {
  const auto check = [](const Sizes& indexes, const Sizes& want) {
    Pieces pieces(10);
    EXPECT_EQ(pieces.pieces_of_isolation(indexes), want.size());
    EXPECT_EQ(pieces.isolate(indexes), want.size());
    EXPECT_EQ(rest_of(pieces), want);
  };
  check({0}, {1, 9});
  check({9}, {9, 1});
  check({4}, {4, 1, 5});
  check({3, 4, 8}, {3, 1, 1, 3, 1, 1});
  check({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  check({}, {10});
}

TEST(Pieces, IsolateWithinTheNextOneOnly) {
  Pieces pieces(10);
  pieces.halve();
  pieces.isolate(Sizes{1});
  EXPECT_EQ(rest_of(pieces), (Sizes{1, 1, 3, 5}));
}

}  // namespace
}  // namespace virtmeter
