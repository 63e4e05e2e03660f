#include "daemon/service_manager.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

namespace virtmeter {
namespace {

TEST(Systemd, GetsWhatIsTold) {
  char folder[] = "/tmp/virtmeter-notify-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = std::string(folder) + "/socket";
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  Systemd().notify("READY=1\nSTATUS=well");
  unsetenv("NOTIFY_SOCKET");
  char text[100];
  const ssize_t size = recv(fd, text, sizeof text, MSG_DONTWAIT);
  EXPECT_EQ(std::string(text, size < 0 ? 0 : static_cast<std::size_t>(size)), "READY=1\nSTATUS=well");
  close(fd);
  std::filesystem::remove_all(folder);
}

TEST(Systemd, MayBeAbsent) {
  unsetenv("NOTIFY_SOCKET");
  Systemd().notify("READY=1");
  unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(Systemd().watchdog(), std::nullopt);
}

TEST(Systemd, SaysHowLongItWaitsForASignOfLife) {
  setenv("WATCHDOG_USEC", "60000000", 1);
  EXPECT_EQ(Systemd().watchdog(), std::chrono::seconds(60));
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(Systemd().watchdog(), std::nullopt) << "somebody else is meant";
  unsetenv("WATCHDOG_USEC");
  unsetenv("WATCHDOG_PID");
}

}  // namespace
}  // namespace virtmeter
