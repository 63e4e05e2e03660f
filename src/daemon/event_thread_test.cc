#include "daemon/event_thread.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

TEST(EventThread, StartsAndStopsMoreThanOnce) {
  for (int round = 0; round < 3; ++round) {
    EventThread thread;
    const Status started = thread.start();
    EXPECT_TRUE(started) << started.error().message;
  }
}

}  // namespace
}  // namespace virtmeter
