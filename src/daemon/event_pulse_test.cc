#include "daemon/event_pulse.h"

#include <gtest/gtest.h>

#include <thread>

#include "daemon/event_thread.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(EventPulse, MovesWhileTheLoopTurns) {
  static const SystemClock clock;
  EventThread events;
  ASSERT_TRUE(events.start());
  const auto pulse = EventPulse::start(clock, milliseconds(1));
  ASSERT_TRUE(pulse);
  const BootTime started = (*pulse)->last_turn();
  const BootTime deadline = clock.boot_now() + seconds(20);
  while ((*pulse)->last_turn() == started && clock.boot_now() < deadline) std::this_thread::yield();
  EXPECT_GT((*pulse)->last_turn(), started);
}

TEST(EventPulse, StandsStillWithTheLoop) {
  static const ManualClock clock;
  {
    EventThread events;
    ASSERT_TRUE(events.start());
  }
  const auto pulse = EventPulse::start(clock, milliseconds(1));
  ASSERT_TRUE(pulse);
  EXPECT_EQ((*pulse)->last_turn(), clock.boot_now());
}

}  // namespace
}  // namespace virtmeter
