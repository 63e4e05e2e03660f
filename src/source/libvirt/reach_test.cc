#include "source/libvirt/reach.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

LibvirtUri uri_of(const std::string& text) { return parse_libvirt_uri(text).value(); }

std::string target_of(const std::string& text) {
  const auto target = tcp_target(uri_of(text));
  return target ? target->host + " " + target->port : "none";
}

TEST(Reach, KnowsWhereLibvirtConnectsByTcp) {
  EXPECT_EQ(target_of("qemu://hv-01/system"), "hv-01 16514");
  EXPECT_EQ(target_of("qemu+tcp://hv-01/system"), "hv-01 16509");
  EXPECT_EQ(target_of("qemu+tls://me@hv-01:99/system"), "hv-01 99");
  EXPECT_EQ(target_of("qemu+libssh2://me@hv-01/system"), "hv-01 22");
  EXPECT_EQ(target_of("qemu+tcp://[::1]:88/system"), "::1 88");
  EXPECT_EQ(target_of("qemu+tcp://[fe80::1]/system"), "fe80::1 16509");
  EXPECT_EQ(target_of("qemu+ssh://hv-01/system"), "none")
      << "ssh may go another way, and has a limit of its own";
  EXPECT_EQ(target_of("qemu:///system"), "none");
  EXPECT_EQ(target_of("test:///default"), "none");
}

TEST(Reach, LeavesWhatIsRefusedToLibvirt) {
  EXPECT_TRUE(reach(uri_of("qemu+tcp://127.0.0.1:1/system"), milliseconds(50)));
  EXPECT_TRUE(reach(uri_of("qemu+tcp://127.0.0.1:no-port/system"), milliseconds(50)));
  EXPECT_TRUE(reach(uri_of("qemu:///system?socket=/nonexistent"), milliseconds(50)));
  EXPECT_TRUE(reach(uri_of("test:///default"), milliseconds(50)));
}

// A socket that listens and takes nothing, and connections to it until its queue is full.
class FullQueue {
 public:
  FullQueue(int family, const sockaddr* address, socklen_t size) {
    fds_.push_back(socket(family, SOCK_STREAM, 0));
    EXPECT_EQ(bind(fds_[0], address, size), 0);
    EXPECT_EQ(listen(fds_[0], 0), 0);
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    getsockname(fds_[0], reinterpret_cast<sockaddr*>(&bound), &length);
    if (family == AF_INET) port_ = ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
    for (int i = 0; i < 4; ++i) {
      fds_.push_back(socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0));
      connect(fds_.back(), reinterpret_cast<const sockaddr*>(&bound), length);
    }
  }
  ~FullQueue() {
    for (const int fd : fds_) close(fd);
  }
  int port() const { return port_; }

 private:
  std::vector<int> fds_;
  int port_ = 0;
};

TEST(Reach, SaysThatAPortTakesNobody) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const FullQueue full(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const Status reached =
      reach(uri_of("qemu+tcp://127.0.0.1:" + std::to_string(full.port()) + "/system"), milliseconds(50));
  ASSERT_FALSE(reached);
  EXPECT_EQ(reached.error().code, Errc::timeout);
  EXPECT_THAT(reached.error().message, HasSubstr("nobody took the connection within 0.05 s"));
  EXPECT_THAT(reached.error().fix, HasSubstr("firewall"));
}

TEST(Reach, SaysThatASocketTakesNobody) {
  std::string folder = std::filesystem::temp_directory_path() / "virtmeter-reach-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder + "/sock";
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  {
    const FullQueue full(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const Status reached = reach(uri_of("qemu:///system?socket=" + path), milliseconds(50));
    ASSERT_FALSE(reached);
    EXPECT_EQ(reached.error().code, Errc::timeout);
    EXPECT_THAT(reached.error().message, HasSubstr("queue of them is full"));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace virtmeter
