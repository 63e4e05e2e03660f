#include "source/kernel/link_port.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace virtmeter {
namespace {

// The kernel fills datagrams of a dump up to 32 KiB when they are read with that much room.
constexpr std::size_t kBufferBytes = 32 * 1024;
// Room for some hundred events between two cycles. More are not lost unseen: the kernel says so.
constexpr int kEventBytes = 1 << 20;

int open_socket(std::uint32_t groups) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (fd < 0) return -1;
  // A smaller buffer where this is refused: see above.
  if (groups != 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kEventBytes, sizeof(kEventBytes));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  ::close(fd);
  return -1;
}

void close_socket(int& fd) {
  if (fd >= 0) ::close(std::exchange(fd, -1));
}

}  // namespace

SystemLinkPort::SystemLinkPort() : buffer_(kBufferBytes) {}

SystemLinkPort::~SystemLinkPort() {
  close_socket(question_);
  close_socket(events_);
}

bool SystemLinkPort::ask(const NetlinkRequest& request) {
  if (question_ < 0) question_ = open_socket(0);
  if (question_ < 0) return false;
  const ssize_t sent = ::send(question_, request.data(), request.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(request.size());
}

LinkPort::Got SystemLinkPort::next_answer(Bytes& into) {
  return question_ < 0 ? Got::failed : receive(question_, into);
}

void SystemLinkPort::forget_question() { close_socket(question_); }

LinkPort::Got SystemLinkPort::next_event(Bytes& into) {
  if (events_ < 0) {
    events_ = open_socket(RTMGRP_LINK);
    // What happened before was not heard.
    return events_ < 0 ? Got::failed : Got::lost;
  }
  return receive(events_, into);
}

LinkPort::Got SystemLinkPort::receive(int socket, Bytes& into) {
  while (true) {
    sockaddr_nl from{};
    iovec piece{buffer_.data(), buffer_.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof(from);
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    const ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Got::nothing;
    if (size < 0) return errno == ENOBUFS ? Got::lost : Got::failed;
    if (from.nl_pid != 0) continue;  // Not from the kernel.
    if ((message.msg_flags & MSG_TRUNC) != 0) return Got::lost;
    into = Bytes(buffer_.data(), static_cast<std::size_t>(size));
    return Got::data;
  }
}

}  // namespace virtmeter
