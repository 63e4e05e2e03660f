// A daemon that never answers is a socket that nobody reads; the rest runs against libvirt's test driver.
#include "source/libvirt/libvirt_connection.h"

#include <gtest/gtest.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "source/libvirt/event_loop.h"
#include "source/libvirt/test_suppressions.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LibvirtConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(LibvirtEventLoop::prepare());
    loop_thread_ = std::thread([this] { loop_.run(); });
    watch_thread_ = std::thread([this] { watch_.run(); });
    char pattern[] = "/tmp/virtmeter-connection-XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  void TearDown() override {
    watch_.stop();
    watch_thread_.join();
    loop_.stop();
    loop_thread_.join();
    if (listener_ >= 0) ::close(listener_);
    std::filesystem::remove_all(folder_);
  }

  // A daemon that takes connections and says nothing, as one under SIGSTOP does.
  std::string silent_daemon() {
    const std::string path = folder_ + "/sock";
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), address.sun_path);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    return "qemu+unix:///system?socket=" + path;
  }
  LibvirtConnection connection(const std::string& uri) { return {uri, *parse_libvirt_uri(uri), watch_}; }

  const SystemClock clock_{};
  CallWatch watch_{clock_, [](std::uint64_t number) { LibvirtEventLoop::hang_up(number); }};
  LibvirtEventLoop loop_;
  std::thread loop_thread_;
  std::thread watch_thread_;
  std::string folder_;
  int listener_ = -1;
};

TEST_F(LibvirtConnectionTest, CannotChangeAVm) {
  LibvirtConnection reading = connection("test:///default");
  ASSERT_TRUE(reading.open(seconds(10)));
  const virDomainPtr domain = virDomainLookupByID(reading.get(), 1);
  ASSERT_NE(domain, nullptr);
  EXPECT_NE(virDomainSuspend(domain), 0);
  EXPECT_EQ(virGetLastErrorCode(), VIR_ERR_OPERATION_DENIED);
  virDomainFree(domain);
}

TEST_F(LibvirtConnectionTest, GivesUpADaemonThatDoesNotAnswer) {
  LibvirtConnection connection = this->connection(silent_daemon());
  const Status opened = connection.open(milliseconds(20));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::timeout);
  EXPECT_EQ(opened.error().message,
            "E101 connect to qemu+unix:///system?socket=" + folder_ + "/sock: no answer within 0.02 s");
  EXPECT_FALSE(connection.alive());
  EXPECT_FALSE(connection.open(milliseconds(20))) << "and again";
}

TEST_F(LibvirtConnectionTest, OpensAndCloses) {
  LibvirtConnection connection = this->connection("test:///default");
  EXPECT_FALSE(connection.alive());
  ASSERT_TRUE(connection.open(seconds(10)));
  EXPECT_TRUE(connection.alive());
  EXPECT_EQ(connection.watched(seconds(10), [&] { return virConnectNumOfDomains(connection.get()); }), 1);
  connection.close();
  EXPECT_FALSE(connection.alive());
}

TEST_F(LibvirtConnectionTest, TellsAFailureFromACancelledCall) {
  LibvirtConnection connection = this->connection("test:///default");
  ASSERT_TRUE(connection.open(seconds(10)));
  const auto look_up = [&] { return DomainHandle(virDomainLookupByName(connection.get(), "absent")); };
  EXPECT_EQ(connection.watched(seconds(10), look_up), nullptr);
  EXPECT_EQ(connection.failure("find it").code, Errc::not_found);
  EXPECT_TRUE(connection.alive());

  // A driver in this process has no socket to hang up: the call ends by itself, and late.
  const auto wait = [&] {
    while (watch_.cancelled_calls() == 0) std::this_thread::yield();
    return 0;
  };
  EXPECT_EQ(connection.watched(milliseconds(1), wait), 0);
  EXPECT_EQ(connection.failure("find it").code, Errc::timeout);
  EXPECT_EQ(connection.failure("find it").message, "find it: no answer within 0.001 s");
  EXPECT_FALSE(connection.alive()) << "not to be used again";
  ASSERT_TRUE(connection.open(seconds(10)));
  EXPECT_TRUE(connection.alive());
}

TEST_F(LibvirtConnectionTest, SaysWhyItCannotOpen) {
  LibvirtConnection connection = this->connection("qemu+unix:///system?socket=" + folder_ + "/absent");
  const Status opened = connection.open(seconds(10));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace virtmeter
