#include "source/libvirt/event_registry.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace virtmeter {
namespace {

struct Seen {
  int calls = 0;
  int events = 0;
  int freed = 0;
};

void on_handle(int, int, int events, void* opaque) {
  auto* seen = static_cast<Seen*>(opaque);
  ++seen->calls;
  seen->events = events;
}
void on_timer(int, void* opaque) { ++static_cast<Seen*>(opaque)->calls; }
void on_free(void* opaque) { ++static_cast<Seen*>(opaque)->freed; }

class EventRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(registry_.open());
    ASSERT_EQ(pipe(pipe_.data()), 0);
  }
  void TearDown() override {
    close(pipe_[0]);
    if (pipe_[1] >= 0) close(pipe_[1]);
  }
  void write_byte() { ASSERT_EQ(write(pipe_[1], "x", 1), 1); }
  // One turn of the loop that does not wait.
  void turn() {
    registry_.wake();
    registry_.run_once();
  }

  EventRegistry registry_;
  std::array<int, 2> pipe_{};
  Seen seen_;
};

TEST_F(EventRegistryTest, CallsBackForAReadableHandle) {
  ASSERT_GT(registry_.add_handle(pipe_[0], VIR_EVENT_HANDLE_READABLE, on_handle, &seen_, on_free), 0);
  turn();
  EXPECT_EQ(seen_.calls, 0);
  write_byte();
  turn();
  EXPECT_EQ(seen_.calls, 1);
  EXPECT_EQ(seen_.events, VIR_EVENT_HANDLE_READABLE);
}

TEST_F(EventRegistryTest, LeavesASwitchedOffHandleAlone) {
  const int watch = registry_.add_handle(pipe_[0], VIR_EVENT_HANDLE_READABLE, on_handle, &seen_, nullptr);
  registry_.update_handle(watch, 0);
  write_byte();
  close(pipe_[1]);  // A hang-up, too, is nobody's business while it is off.
  pipe_[1] = -1;
  turn();
  EXPECT_EQ(seen_.calls, 0);
  registry_.update_handle(watch, VIR_EVENT_HANDLE_READABLE);
  turn();
  EXPECT_EQ(seen_.calls, 1);
  EXPECT_EQ(seen_.events, VIR_EVENT_HANDLE_READABLE | VIR_EVENT_HANDLE_HANGUP);
}

TEST_F(EventRegistryTest, FreesARemovedHandleInTheLoopOnly) {
  const int watch = registry_.add_handle(pipe_[0], VIR_EVENT_HANDLE_READABLE, on_handle, &seen_, on_free);
  write_byte();
  EXPECT_EQ(registry_.remove_handle(watch), 0);
  EXPECT_EQ(seen_.freed, 0);
  registry_.run_once();
  EXPECT_EQ(seen_.freed, 1);
  EXPECT_EQ(seen_.calls, 0);
  EXPECT_EQ(registry_.remove_handle(watch), -1);
  registry_.update_handle(watch, VIR_EVENT_HANDLE_READABLE);
}

TEST_F(EventRegistryTest, RunsATimerWhenItIsDue) {
  const int timer = registry_.add_timeout(1, on_timer, &seen_, on_free);
  registry_.run_once();
  EXPECT_EQ(seen_.calls, 1);
  registry_.update_timeout(timer, 3'600'000);
  turn();
  EXPECT_EQ(seen_.calls, 1);
  registry_.update_timeout(timer, 0);
  registry_.run_once();
  EXPECT_EQ(seen_.calls, 2);
  registry_.update_timeout(timer, -1);
  turn();
  EXPECT_EQ(seen_.calls, 2);
  EXPECT_EQ(registry_.remove_timeout(timer), 0);
  registry_.run_once();
  EXPECT_EQ(seen_.freed, 1);
  EXPECT_EQ(registry_.remove_timeout(timer), -1);
}

TEST_F(EventRegistryTest, HangsUpTheSocketsThatAConnectionHasAdded) {
  std::array<int, 2> sockets{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()), 0);
  const int before = registry_.add_handle(sockets[1], 0, on_handle, &seen_, nullptr);
  {
    const EventRegistry::Connecting connecting(7);
    registry_.add_handle(sockets[0], 0, on_handle, &seen_, nullptr);
  }
  EXPECT_EQ(registry_.hang_up(6), 0u);
  ASSERT_EQ(write(sockets[1], "x", 1), 1) << "still open";
  EXPECT_EQ(registry_.hang_up(7), 1u);
  EXPECT_EQ(send(sockets[1], "x", 1, MSG_NOSIGNAL), -1);
  EXPECT_EQ(registry_.remove_handle(before), 0);
  close(sockets[0]);
  close(sockets[1]);
}

TEST_F(EventRegistryTest, RefusesAHandleThatCannotBeWatched) {
  EXPECT_EQ(registry_.add_handle(-1, VIR_EVENT_HANDLE_READABLE, on_handle, &seen_, on_free), -1);
  EXPECT_EQ(seen_.freed, 0) << "what was not taken is not ours to free";
}

}  // namespace
}  // namespace virtmeter
