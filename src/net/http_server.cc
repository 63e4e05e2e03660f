#include "net/http_server.h"

#include <fmt/format.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <exception>
#include <list>

#include "base/check.h"
#include "base/log.h"
#include "net/http_problem.h"

namespace virtmeter {
namespace {

using std::chrono::milliseconds;

// How late a connection may be found to be over its time.
constexpr milliseconds kLook{250};
// The same while ended sockets still hold their slots.
constexpr milliseconds kLookClosing{10};
constexpr unsigned kBacklog = 64;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  FileDescriptor& operator=(FileDescriptor&&) = delete;

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Error listen_failure(const ListenAddress& listen, int error_number) {
  const std::string what = fmt::format("listen on {}: {}", listen.text(), std::strerror(error_number));
  if (error_number == EADDRINUSE) {
    return {Errc::unavailable, what,
            fmt::format("find who listens there with: ss -ltnp 'sport = :{}'; or choose another port with "
                        "http.listen = \"127.0.0.1:9179\"",
                        listen.port)};
  }
  if (error_number == EACCES)
    return {Errc::permission, what, "choose a port above 1023, for example 127.0.0.1:9178"};
  return {Errc::io, what, "choose an address of this machine, for example 127.0.0.1:9178"};
}

// The listening socket; `listen` then holds the port that was given.
Result<FileDescriptor> listen_on(ListenAddress& listen) {
  FileDescriptor fd(socket(listen.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  auto* const address = reinterpret_cast<sockaddr*>(&listen.address);
  const int on = 1;
  if (fd.get() < 0 || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd.get(), address, listen.address_bytes) != 0 || ::listen(fd.get(), kBacklog) != 0 ||
      getsockname(fd.get(), address, &listen.address_bytes) != 0) {
    return listen_failure(listen, errno);
  }
  // The port stands in the same place for both families.
  sockaddr_in bound{};
  std::memcpy(&bound, &listen.address, sizeof bound);
  listen.port = ntohs(bound.sin_port);
  return fd;
}

struct StrictHeader {
  const char* name;
  const char* value;
};
constexpr auto kStrictHeaders = std::to_array<StrictHeader>({
    {"Content-Security-Policy",
     "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
});

// Formats what libmicrohttpd says; it is for developers.
void log_library(void*, const char* format, va_list arguments) {
  if (!log_enabled(LogLevel::debug)) return;
  std::array<char, 256> text{};
  const int length = std::vsnprintf(text.data(), text.size(), format, arguments);
  if (length <= 0) return;
  std::string_view line(text.data(), std::min(static_cast<std::size_t>(length), text.size() - 1));
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  log_debug("http server: {}", line);
}

MHD_Result count_host(void* counter, MHD_ValueKind, const char* key, const char*) {
  if (strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0) ++*static_cast<int*>(counter);
  return MHD_YES;
}

}  // namespace

// All but `stopping` is run()'s thread only.
struct HttpServer::Implementation {
  struct Connection {
    int fd;
    BootTime since;        // When it was accepted, or finished its last request.
    bool closing = false;  // Its socket has been ended; libmicrohttpd has not taken notice yet.
  };

  Implementation(FileDescriptor&& listener_fd, Handler handler_given, const Clock& clock_given,
                 HttpServerOptions options_given)
      : listener(std::move(listener_fd)),
        wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        poll(epoll_create1(EPOLL_CLOEXEC)),
        handler(std::move(handler_given)),
        clock(clock_given),
        options(options_given) {}
  ~Implementation() {
    if (daemon != nullptr) MHD_stop_daemon(daemon);
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  Status start();
  void run();
  int patience_ms() const;  // Until the next look at all connections; -1: for ever.
  void close_overdue();
  void make_room();
  static void end(Connection& connection);
  MHD_Result answer(MHD_Connection* connection, const char* url, const char* method) const;
  HttpReply reply_to(MHD_Connection* connection, std::string_view path, std::string_view method) const;

  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode code);
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url, const char* method,
                               const char* version, const char* upload, std::size_t* upload_bytes,
                               void** context);
  static void on_completed(void* self, MHD_Connection* connection, void** context,
                           MHD_RequestTerminationCode code);

  FileDescriptor listener;
  FileDescriptor wake;
  FileDescriptor poll;
  Handler handler;
  const Clock& clock;
  HttpServerOptions options;
  MHD_Daemon* daemon = nullptr;
  std::list<Connection> connections;  // The one that has been at its request longest stands first.
  std::atomic<bool> stopping{false};
};

Status HttpServer::Implementation::start() {
  // More slots than are used: make_room() frees one long before libmicrohttpd would stop to accept.
  daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, nullptr, nullptr, &on_request, this,  //
                            MHD_OPTION_EXTERNAL_LOGGER, &log_library, nullptr,                          //
                            MHD_OPTION_LISTEN_SOCKET, listener.get(),                                   //
                            MHD_OPTION_CONNECTION_LIMIT, 2 * options.connections_max,                   //
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, options.request_bytes_max,              //
                            MHD_OPTION_STRICT_FOR_CLIENT, 1,                                            //
                            MHD_OPTION_NOTIFY_CONNECTION, &on_connection, this,                         //
                            MHD_OPTION_NOTIFY_COMPLETED, &on_completed, this,                           //
                            MHD_OPTION_END);
  const MHD_DaemonInfo* const info =
      daemon == nullptr ? nullptr : MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
  if (info == nullptr || wake.get() < 0 || poll.get() < 0)
    return Error{Errc::io, "start the http server: no memory or no file descriptor is left", ""};
  // libmicrohttpd closes the listening socket with the daemon.
  static_cast<void>(listener.release());
  for (const int fd : {info->epoll_fd, wake.get()}) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ctl(poll.get(), EPOLL_CTL_ADD, fd, &event) != 0)
      return Error{Errc::io, fmt::format("start the http server: {}", std::strerror(errno)), ""};
  }
  return Status::ok();
}

void HttpServer::Implementation::run() {
  while (!stopping) {
    std::array<epoll_event, 2> events{};
    if (epoll_wait(poll.get(), events.data(), events.size(), patience_ms()) < 0 && errno != EINTR) {
      log_error("http server: {}; it serves no more", std::strerror(errno));
      return;
    }
    // When all its slots were taken, libmicrohttpd accepts again only in the run after the one that frees
    // some.
    std::size_t before = 0;
    do {
      before = connections.size();
      MHD_run(daemon);
    } while (connections.size() < before);
    close_overdue();
  }
}

int HttpServer::Implementation::patience_ms() const {
  MHD_UNSIGNED_LONG_LONG wanted_ms = 0;
  const bool wanted = MHD_get_timeout(daemon, &wanted_ms) == MHD_YES;
  if (connections.empty()) return wanted ? static_cast<int>(std::min(wanted_ms, 60'000ULL)) : -1;
  const bool closing =
      std::any_of(connections.begin(), connections.end(), [](const Connection& c) { return c.closing; });
  const auto look_ms = static_cast<unsigned long long>((closing ? kLookClosing : kLook).count());
  return static_cast<int>(wanted ? std::min(wanted_ms, look_ms) : look_ms);
}

// libmicrohttpd's own time limit begins anew with every byte, so that a client who sends one a second would
// stay for hours. The end of the socket makes libmicrohttpd close the connection.
void HttpServer::Implementation::close_overdue() {
  const BootTime now = clock.boot_now();
  for (Connection& connection : connections) {
    if (now - connection.since < options.patience) return;
    end(connection);
  }
}

void HttpServer::Implementation::end(Connection& connection) {
  if (!connection.closing) shutdown(connection.fd, SHUT_RDWR);
  connection.closing = true;
}

void HttpServer::Implementation::make_room() {
  const auto serves = [](const Connection& connection) { return !connection.closing; };
  if (std::count_if(connections.begin(), connections.end(), serves) > options.connections_max)
    end(*std::find_if(connections.begin(), connections.end(), serves));
}

void HttpServer::Implementation::on_connection(void* self, MHD_Connection* connection, void** context,
                                               MHD_ConnectionNotificationCode code) {
  auto& server = *static_cast<Implementation*>(self);
  using Place = std::list<Connection>::iterator;
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    const std::unique_ptr<Place> place(static_cast<Place*>(std::exchange(*context, nullptr)));
    if (place != nullptr) server.connections.erase(*place);
    return;
  }
  const MHD_ConnectionInfo* const info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  server.connections.push_back({info->connect_fd, server.clock.boot_now()});
  *context = new Place(std::prev(server.connections.end()));
  server.make_room();
}

void HttpServer::Implementation::on_completed(void* self, MHD_Connection* connection, void**,
                                              MHD_RequestTerminationCode) {
  auto& server = *static_cast<Implementation*>(self);
  using Place = std::list<Connection>::iterator;
  const MHD_ConnectionInfo* const info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (info == nullptr || info->socket_context == nullptr) return;
  const Place place = *static_cast<Place*>(info->socket_context);
  place->since = server.clock.boot_now();
  server.connections.splice(server.connections.end(), server.connections, place);
}

MHD_Result HttpServer::Implementation::on_request(void* self, MHD_Connection* connection, const char* url,
                                                  const char* method, const char*, const char*,
                                                  std::size_t* upload_bytes, void** context) {
  // Called first when the headers are there. A body is never read: the answer at this point makes
  // libmicrohttpd close the connection behind it.
  static_cast<void>(upload_bytes);
  static_cast<void>(context);
  return static_cast<const Implementation*>(self)->answer(connection, url, method);
}

MHD_Result HttpServer::Implementation::answer(MHD_Connection* connection, const char* url,
                                              const char* method) const {
  HttpReply reply;
  try {
    reply = reply_to(connection, url, method);
  } catch (const std::exception& failure) {
    // Ours do not throw; a library may. Nothing may pass through C code.
    log_error("http server: {}: {}", url, failure.what());
    reply = {500, "text/plain", "internal error\n"};
  }
  MHD_Response* const response =
      MHD_create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  for (const StrictHeader& header : kStrictHeaders)
    MHD_add_response_header(response, header.name, header.value);
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply.content_type.c_str());
  if (reply.status == MHD_HTTP_METHOD_NOT_ALLOWED)
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(reply.status), response);
  MHD_destroy_response(response);
  return queued;
}

HttpReply HttpServer::Implementation::reply_to(MHD_Connection* connection, std::string_view path,
                                               std::string_view method) const {
  const char* const host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
  int hosts = 0;
  MHD_get_connection_values(connection, MHD_HEADER_KIND, &count_host, &hosts);
  if (hosts != 1 || host == nullptr || !is_loopback_host_header(host)) {
    return http_problem(MHD_HTTP_FORBIDDEN, "the request names another host than this machine",
                        "ask http://127.0.0.1 or http://localhost with the port of http.listen");
  }
  if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD)
    return http_problem(MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are answered", "");
  return handler({path});
}

HttpServer::HttpServer(std::unique_ptr<Implementation> implementation, std::string address)
    : implementation_(std::move(implementation)), address_(std::move(address)) {}

HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::open(std::string_view listen, Handler handler,
                                                     const Clock& clock, HttpServerOptions options) {
  Result<ListenAddress> address = parse_listen_address(listen);
  if (!address) return std::move(address).error();
  Result<FileDescriptor> listener = listen_on(*address);
  if (!listener) return std::move(listener).error();
  auto implementation =
      std::make_unique<Implementation>(std::move(*listener), std::move(handler), clock, options);
  Status started = implementation->start();
  if (!started) return std::move(started).error();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(implementation), address->text()));
}

void HttpServer::run() { implementation_->run(); }

void HttpServer::request_stop() {
  implementation_->stopping = true;
  constexpr std::uint64_t kOne = 1;
  CHECK(write(implementation_->wake.get(), &kOne, sizeof kOne) == sizeof kOne);
}

}  // namespace virtmeter
