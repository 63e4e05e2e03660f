#include "source/libvirt/patience.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Patience, IsASecondForAQuickHost) {
  Patience patience({seconds(5), seconds(10)});
  patience.note(milliseconds(32), 32);
  EXPECT_EQ(patience.usual(32), seconds(1));
  EXPECT_EQ(patience.searching(1), milliseconds(250));
}

TEST(Patience, IsAMultipleOfWhatASlowHostTakes) {
  Patience patience({seconds(5), seconds(10)});
  patience.note(milliseconds(200), 20);
  EXPECT_EQ(patience.usual(20), milliseconds(1600));
  EXPECT_EQ(patience.usual(10), seconds(1)) << "a smaller request takes less";
  EXPECT_EQ(patience.searching(20), milliseconds(800));
  EXPECT_EQ(patience.expected(20), milliseconds(200));
}

TEST(Patience, KeepsTheBeatUnlessTheHostIsSlowerThanThat) {
  const auto check = [](milliseconds interval, milliseconds took, milliseconds want) {
    Patience patience({interval, seconds(10)});
    patience.note(took, 10);
    EXPECT_EQ(patience.usual(10), want) << interval.count() << " " << took.count();
  };
  check(seconds(5), milliseconds(500), milliseconds(2500));
  check(milliseconds(500), milliseconds(10), milliseconds(250));
  check(milliseconds(100), milliseconds(10), milliseconds(250));
  check(milliseconds(500), milliseconds(100), milliseconds(400));
}

TEST(Patience, EndsAtTheTimeout) {
  Patience patience({seconds(3600), milliseconds(700)});
  patience.note(seconds(5), 10);
  EXPECT_EQ(patience.usual(10), milliseconds(700));
  EXPECT_EQ(patience.searching(10), milliseconds(700));
  EXPECT_EQ(patience.single_call(), milliseconds(700));
}

TEST(Patience, ExpectsASlowHostBeforeItKnows) {
  const Patience patience({seconds(5), seconds(10)});
  EXPECT_EQ(patience.expected(10), milliseconds(200));
  EXPECT_EQ(patience.usual(10), milliseconds(1600));
}

TEST(Patience, FollowsTheHostSlowly) {
  Patience patience({seconds(5), seconds(10)});
  patience.note(milliseconds(8), 1);
  patience.note(milliseconds(16), 1);
  EXPECT_EQ(patience.expected(1), milliseconds(9));
  patience.note(seconds(1), 0);
  EXPECT_EQ(patience.expected(1), milliseconds(9));
}

TEST(Patience, LeavesTheSearchMostOfTheBeat) {
  Patience patience({seconds(5), seconds(10)});
  patience.note(milliseconds(10), 1);
  EXPECT_EQ(patience.search(100), seconds(4));
  EXPECT_EQ(patience.search(1000), seconds(20)) << "a host that misses beats as it is";
}

TEST(Patience, GivesASingleCallHalfTheBeat) {
  EXPECT_EQ(Patience({seconds(5), seconds(10)}).single_call(), milliseconds(2500));
  EXPECT_EQ(Patience({milliseconds(100), seconds(10)}).single_call(), seconds(1))
      << "and never less than this";
}

}  // namespace
}  // namespace virtmeter
