#include "source/libvirt/call_watch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "source/libvirt/event_registry.h"

namespace virtmeter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

void ignore(int, int, int, void*) {}

// Two connections over real sockets, and a watch on the machine's clock: what waits is a read that only the
// watch can end.
class CallWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(registry_.open());
    for (std::uint64_t number : {1u, 2u}) {
      auto& pair = pairs_[number];
      ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
      const EventRegistry::Connecting connecting(number);
      watches_[number] = registry_.add_handle(pair[0], 0, ignore, nullptr, nullptr);
      ASSERT_GT(watches_[number], 0);
    }
    thread_ = std::thread([this] { watch_.run(); });
  }
  void TearDown() override {
    watch_.stop();
    thread_.join();
    for (const auto& pair : pairs_) {
      for (const int fd : pair) {
        if (fd >= 0) close(fd);
      }
    }
  }
  // 0: the other side has hung up.
  ssize_t wait_for_answer(std::uint64_t connection) {
    char byte = 0;
    return read(pairs_[connection][0], &byte, 1);
  }

  const SystemClock clock_{};
  EventRegistry registry_;
  CallWatch watch_{clock_, [this](std::uint64_t connection) { registry_.hang_up(connection); }};
  std::array<std::array<int, 2>, 3> pairs_{{{-1, -1}, {-1, -1}, {-1, -1}}};
  std::array<int, 3> watches_{};
  std::thread thread_;
};

TEST_F(CallWatchTest, EndsACallThatGetsNoAnswer) {
  const CallWatch::Call call(watch_, 1, milliseconds(1));
  EXPECT_EQ(wait_for_answer(1), 0);
  EXPECT_TRUE(call.cancelled());
  EXPECT_EQ(watch_.cancelled_calls(), 1u);
}

TEST_F(CallWatchTest, LeavesACallAloneThatIsAnsweredInTime) {
  const CallWatch::Call call(watch_, 1, hours(1));
  ASSERT_EQ(write(pairs_[1][1], "x", 1), 1);
  EXPECT_EQ(wait_for_answer(1), 1);
  EXPECT_FALSE(call.cancelled());
}

TEST_F(CallWatchTest, LeavesOtherConnectionsAlone) {
  const CallWatch::Call other(watch_, 2, hours(1));
  {
    const CallWatch::Call call(watch_, 1, milliseconds(1));
    EXPECT_EQ(wait_for_answer(1), 0);
  }
  EXPECT_FALSE(other.cancelled());
  ASSERT_EQ(write(pairs_[2][1], "x", 1), 1);
  EXPECT_EQ(wait_for_answer(2), 1);
}

TEST_F(CallWatchTest, WakesForACallThatIsDueBeforeTheOneItWaitsFor) {
  const CallWatch::Call slow(watch_, 2, hours(1));
  const CallWatch::Call call(watch_, 1, milliseconds(1));
  EXPECT_EQ(wait_for_answer(1), 0);
  EXPECT_TRUE(call.cancelled());
  EXPECT_FALSE(slow.cancelled());
}

// As when a connection is being made: its socket comes after the deadline.
TEST_F(CallWatchTest, HangsUpAgainWhileTheCallRunsOn) {
  registry_.remove_handle(watches_[1]);
  const CallWatch::Call call(watch_, 1, milliseconds(0));
  while (!call.cancelled()) std::this_thread::yield();
  const EventRegistry::Connecting connecting(1);
  registry_.add_handle(pairs_[1][0], 0, ignore, nullptr, nullptr);
  EXPECT_EQ(wait_for_answer(1), 0);
  EXPECT_EQ(watch_.cancelled_calls(), 1u) << "one call, however often it took";
}

// A socket that libvirt has let go of may be another's by now.
TEST_F(CallWatchTest, NeverTouchesASocketWhoseHandleWasRemoved) {
  registry_.remove_handle(watches_[1]);
  const CallWatch::Call call(watch_, 1, milliseconds(0));
  while (!call.cancelled()) std::this_thread::yield();
  ASSERT_EQ(write(pairs_[1][1], "x", 1), 1);
  EXPECT_EQ(wait_for_answer(1), 1);
}

TEST(CallWatch, StopsWithACallStillRunning) {
  const SystemClock clock;
  CallWatch watch(clock, [](std::uint64_t) {});
  const CallWatch::Call call(watch, 1, hours(1));
  std::thread thread([&] { watch.run(); });
  watch.stop();
  thread.join();
  EXPECT_FALSE(call.cancelled());
}

}  // namespace
}  // namespace virtmeter
