#include "source/libvirt/reach.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/text.h"

namespace virtmeter {
namespace {

// libvirt's default ports (virtproxyd.socket, libvirtd-tls.socket; 22 is ssh's).
struct DefaultPort {
  std::string_view transport;
  std::string_view port;
};
constexpr std::array kDefaultPorts =
    std::to_array<DefaultPort>({{"tls", "16514"}, {"tcp", "16509"}, {"libssh", "22"}, {"libssh2", "22"}});

class Socket {
 public:
  explicit Socket(int family) : fd_(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// False: neither taken nor refused within `limit`.
bool somebody_answers(const addrinfo& address, std::chrono::nanoseconds limit) {
  const Socket socket(address.ai_family);
  if (socket.get() < 0) return true;
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0 || errno != EINPROGRESS) return true;
  pollfd waiting{socket.get(), POLLOUT, 0};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  return poll(&waiting, 1, static_cast<int>(std::clamp<std::int64_t>(milliseconds, 1, 600'000))) != 0;
}

Status reach_tcp(const TcpTarget& target, std::chrono::nanoseconds limit) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found) != 0) return Status::ok();
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  int count = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) ++count;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    if (somebody_answers(*address, limit / count)) return Status::ok();
  }
  return Error{
      Errc::timeout,
      fmt::format("{} port {}: nobody took the connection within {:.3g} s", printable(target.host),
                  target.port, std::chrono::duration<double>(limit).count()),
      fmt::format("check that the host is up and that no firewall drops what goes to port {}", target.port)};
}

Status reach_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Status::ok();
  std::memcpy(address.sun_path, path.data(), path.size());
  const Socket socket(AF_UNIX);
  const int connected = connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (connected == 0 || errno != EAGAIN) return Status::ok();
  return Error{Errc::timeout,
               fmt::format("{}: it takes no connections, and its queue of them is full", printable(path)),
               "check that the libvirt daemon is not stopped or overloaded: virsh -r list must answer"};
}

}  // namespace

std::optional<TcpTarget> tcp_target(const LibvirtUri& uri) {
  const auto known = std::find_if(kDefaultPorts.begin(), kDefaultPorts.end(),
                                  [&](const DefaultPort& entry) { return entry.transport == uri.transport; });
  if (known == kDefaultPorts.end() || uri.host.empty()) return std::nullopt;
  std::string_view rest = uri.host;
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  TcpTarget target;
  const bool bracketed = rest.starts_with('[');
  const std::size_t host_end = bracketed ? rest.find(']') : rest.find(':');
  target.host = rest.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  const std::size_t colon = host_end == std::string_view::npos ? host_end : rest.find(':', host_end);
  target.port = colon == std::string_view::npos ? known->port : rest.substr(colon + 1);
  return target;
}

Status reach(const LibvirtUri& uri, std::chrono::nanoseconds limit) {
  if (const auto target = tcp_target(uri)) return reach_tcp(*target, limit);
  return uri.socket.empty() ? Status::ok() : reach_unix(uri.socket);
}

}  // namespace virtmeter
