#include "daemon/stop_signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace virtmeter {
namespace {

TEST(StopSignals, ArriveAsAValue) {
  block_stop_signals();
  raise(SIGTERM);
  EXPECT_EQ(wait_for_stop_signal(std::nullopt), SIGTERM);
  raise(SIGHUP);
  raise(SIGINT);
  EXPECT_EQ(wait_for_stop_signal(std::nullopt), SIGINT) << "SIGHUP ends nothing";
}

TEST(StopSignals, BringSighupToWhoeverWantsIt) {
  block_stop_signals();
  raise(SIGHUP);
  EXPECT_EQ(wait_for_signal(std::nullopt), SIGHUP);
  EXPECT_EQ(wait_for_signal(std::chrono::milliseconds(1)), std::nullopt);
}

TEST(StopSignals, GiveUpAfterThePatience) {
  block_stop_signals();
  EXPECT_EQ(wait_for_stop_signal(std::chrono::milliseconds(1)), std::nullopt);
}

}  // namespace
}  // namespace virtmeter
