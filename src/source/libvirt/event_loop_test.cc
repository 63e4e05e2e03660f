#include "source/libvirt/event_loop.h"

#include <gtest/gtest.h>

#include <thread>

namespace virtmeter {
namespace {

TEST(LibvirtEventLoop, IsPreparedOnceForTheProcess) {
  EXPECT_TRUE(LibvirtEventLoop::prepare());
  EXPECT_TRUE(LibvirtEventLoop::prepare());
}

TEST(LibvirtEventLoop, RunsUntilItIsStopped) {
  ASSERT_TRUE(LibvirtEventLoop::prepare());
  LibvirtEventLoop loop;
  std::thread runner([&] { loop.run(); });
  loop.stop();
  runner.join();
}

TEST(LibvirtEventLoop, DoesNotRunWhenItWasStoppedBefore) {
  ASSERT_TRUE(LibvirtEventLoop::prepare());
  LibvirtEventLoop loop;
  loop.stop();
  loop.run();
}

}  // namespace
}  // namespace virtmeter
