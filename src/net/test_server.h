// A HTTP server on a loopback port for tests only. It answers what the test's handler says and, unlike a real
// one, misbehaves on request: closes, resets, stalls, drips, never ends, dies. Each connection has a thread
// of its own; the handler is called by one at a time.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"

namespace virtmeter {

struct TestRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;
  int connection = 0;  // Counts from 1.

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct TestReply {
  enum class Then : std::uint8_t { keep, close, reset, stall, drip, endless, die };
  std::string bytes;
  Then then = Then::keep;
};

// "HTTP/1.1 204 No Content" and the like, with Content-Length and the header lines given ("A: b\r\n").
inline TestReply http_reply(int status, std::string_view body = "", std::string_view header_lines = "") {
  std::string bytes = "HTTP/1.1 " + std::to_string(status) + " Reason\r\n" + std::string(header_lines);
  if (status != 204) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return {bytes + "\r\n" + std::string(body)};
}

class TestServer {
 public:
  using Handler = std::function<TestReply(const TestRequest&)>;

  using Early = std::function<bool(const TestRequest&)>;

  // Requests for which `early` holds are answered when their head has come, and their body is left unread.
  explicit TestServer(Handler handler, Early early = {})
      : handler_(std::move(handler)), early_(std::move(early)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    stop_ = eventfd(0, EFD_CLOEXEC);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    CHECK(bind(listener_, generic, size) == 0 && listen(listener_, 16) == 0);
    CHECK(getsockname(listener_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~TestServer() {
    constexpr std::uint64_t kOne = 1;
    CHECK(write(stop_, &kOne, sizeof kOne) == sizeof kOne);
    acceptor_.join();
    for (std::thread& thread : connections_) thread.join();
    ::close(listener_);
    ::close(stop_);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // All requests that have been answered so far, in order.
  std::vector<TestRequest> requests() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return requests_;
  }

  // Waits until at least `count` requests have arrived whole.
  void wait_for_requests(std::size_t count) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (requests_.size() < count) arrived_.wait(mutex_);
  }

 private:
  // Whether `fd` became readable (or was closed by the client) before the test ended.
  bool readable(int fd, int timeout_ms = -1) const {
    pollfd fds[] = {{fd, POLLIN, 0}, {stop_, POLLIN, 0}};
    return poll(fds, 2, timeout_ms) > 0 && fds[1].revents == 0;
  }
  bool stopped() const {
    pollfd fd{stop_, POLLIN, 0};
    return poll(&fd, 1, 0) > 0;
  }

  void accept_all() {
    for (int number = 1; readable(listener_); ++number) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      connections_.emplace_back([this, fd, number] { serve(fd, number); });
    }
  }

  void serve(int fd, int number) {
    std::string buffered;
    while (true) {
      TestRequest request;
      request.connection = number;
      if (!read_request(fd, buffered, request)) break;
      const TestReply reply = answer(request);
      send_all(fd, reply.bytes);
      if (reply.then == TestReply::Then::keep) continue;
      misbehave(fd, reply.then);
      break;
    }
    ::close(fd);
  }

  TestReply answer(const TestRequest& request) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    TestReply reply = handler_(request);
    requests_.push_back(request);
    arrived_.notify_all();
    return reply;
  }

  void misbehave(int fd, TestReply::Then then) const {
    using Then = TestReply::Then;
    if (then == Then::reset) {
      const linger hard{1, 0};
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    if (then == Then::die) shutdown(listener_, SHUT_RDWR);
    if (then == Then::close) linger_until_closed(fd);
    if (then == Then::stall) readable(fd);
    while (then == Then::drip && !stopped() && send_all(fd, "x") && !readable(fd, 1000)) {
    }
    const std::string much(64u << 10, 'x');
    while (then == Then::endless && !stopped() && send_all(fd, much)) {
    }
  }

  // As real servers do: closing over what the client has still sent would reset the connection, and with it
  // take the answer away before the client has read it.
  void linger_until_closed(int fd) const {
    shutdown(fd, SHUT_WR);
    for (std::string rest; receive(fd, rest); rest.clear()) {
    }
  }

  bool send_all(int fd, std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  bool receive(int fd, std::string& buffered) const {
    char chunk[16384];
    if (!readable(fd)) return false;
    const ssize_t got = ::recv(fd, chunk, sizeof chunk, 0);
    if (got > 0) buffered.append(chunk, static_cast<std::size_t>(got));
    return got > 0;
  }

  bool read_request(int fd, std::string& buffered, TestRequest& request) const {
    while (buffered.find("\r\n\r\n") == std::string::npos) {
      if (!receive(fd, buffered)) return false;
    }
    const std::size_t head_size = buffered.find("\r\n\r\n") + 4;
    parse_head(std::string_view(buffered).substr(0, head_size), request);
    if (early_ && early_(request)) return true;
    const std::string length = request.header("content-length");
    const std::size_t size = head_size + std::strtoul(length.c_str(), nullptr, 10);
    while (buffered.size() < size) {
      if (!receive(fd, buffered)) return false;
    }
    request.body = buffered.substr(head_size, size - head_size);
    buffered.erase(0, size);
    return true;
  }

  static void parse_head(std::string_view head, TestRequest& request) {
    const std::size_t method_end = head.find(' ');
    const std::size_t target_end = head.find(' ', method_end + 1);
    request.method = head.substr(0, method_end);
    request.target = head.substr(method_end + 1, target_end - method_end - 1);
    for (std::size_t at = head.find("\r\n") + 2; at < head.size() && head[at] != '\r';) {
      const std::size_t end = head.find("\r\n", at);
      const std::string_view line = head.substr(at, end - at);
      const std::size_t colon = line.find(':');
      std::string name(line.substr(0, colon));
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      request.headers[name] = line.substr(std::min(colon + 2, line.size()));
      at = end + 2;
    }
  }

  const Handler handler_;
  const Early early_;
  int listener_ = -1;
  int stop_ = -1;
  int port_ = 0;
  std::thread acceptor_;
  std::list<std::thread> connections_;  // The acceptor's, until it has ended.
  Mutex mutex_;
  Condition arrived_;
  std::vector<TestRequest> requests_ GUARDED_BY(mutex_);
};

}  // namespace virtmeter
