// HttpServer: a small HTTP/1.1 server on loopback, over libmicrohttpd. One thread serves all connections as
// events, so a slow client occupies a slot and no thread. Everything is bounded: connections, bytes of a
// request, and the time in which a connection must have finished one; when all slots are taken the one that
// has been at it longest makes room. GET and HEAD only, for a Host that is this machine's (no DNS
// rebinding), with headers that keep browsers strict and no permission for other origins (no CORS).
//
// run() belongs to a thread that the daemon starts and calls the handler; request_stop() is thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "net/http_reply.h"
#include "net/listen_address.h"

namespace virtmeter {

struct HttpServerOptions {
  unsigned connections_max = 64;
  // Request line, headers and what libmicrohttpd needs for them, of one connection.
  std::size_t request_bytes_max = 16u << 10;
  // A connection that has not finished a request for this long is closed, whatever it is doing.
  std::chrono::nanoseconds patience = std::chrono::seconds(10);
};

class HttpServer {
 public:
  using Handler = std::function<HttpReply(const HttpAsked&)>;

  // Listens from here on. `clock` must outlive the server. Errc::invalid: the address is not one to serve on
  // (listen_address.h); unavailable: somebody else listens there; permission: a port for root only.
  static Result<std::unique_ptr<HttpServer>> open(std::string_view listen, Handler handler,
                                                  const Clock& clock, HttpServerOptions options = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Serves until request_stop(). Once only.
  void run();

  // From any thread. Answers under way are cut off.
  void request_stop();

  // "127.0.0.1:9178", with the port that the kernel chose where 0 was asked for.
  const std::string& address() const { return address_; }

 private:
  struct Implementation;
  explicit HttpServer(std::unique_ptr<Implementation> implementation, std::string address);

  std::unique_ptr<Implementation> implementation_;
  const std::string address_;
};

}  // namespace virtmeter
