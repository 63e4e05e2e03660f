#include "daemon/watched_source.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "daemon/event_thread.h"
#include "source/libvirt/test_suppressions.h"

namespace virtmeter {
namespace {

// A socket that takes connections and says nothing is what a daemon under SIGSTOP is.
TEST(WatchedSource, GivesUpADaemonThatDoesNotAnswer) {
  EventThread events;
  ASSERT_TRUE(events.start());
  char pattern[] = "/tmp/virtmeter-watched-XXXXXX";
  const std::string folder = mkdtemp(pattern);
  const std::string path = folder + "/sock";
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 8), 0);

  const SystemClock clock;
  LibvirtSourceOptions options;
  options.uri = "qemu+unix:///system?socket=" + path;
  options.timeout = std::chrono::milliseconds(20);
  auto source = WatchedSource::open(options, clock);
  ASSERT_TRUE(source);
  std::vector<VmSample> vms;
  const Status read = (*source)->read(vms);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::timeout);
  EXPECT_EQ((*source)->status().cancelled_calls, 1u);
  close(listener);
  std::filesystem::remove_all(folder);
}

TEST(WatchedSource, ReadsAsItsSourceDoes) {
  EventThread events;
  ASSERT_TRUE(events.start());
  const SystemClock clock;
  LibvirtSourceOptions options;
  options.uri = "test:///default";
  auto source = WatchedSource::open(options, clock);
  ASSERT_TRUE(source);
  std::vector<VmSample> vms;
  ASSERT_TRUE((*source)->read(vms));
  EXPECT_EQ(vms.size(), 1u);
  EXPECT_NE((*source)->host_name(), "");
  EXPECT_TRUE((*source)->status().connected);
}

TEST(WatchedSource, RefusesAnAddressThatCannotBe) {
  const SystemClock clock;
  LibvirtSourceOptions options;
  options.uri = "kvm:///system";
  EXPECT_FALSE(WatchedSource::open(options, clock));
}

}  // namespace
}  // namespace virtmeter
