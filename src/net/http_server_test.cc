#include "net/http_server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "base/check.h"
#include "net/http_client.h"

namespace virtmeter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

// A server with its thread, which answers with the path it was asked for.
class RunningServer {
 public:
  explicit RunningServer(HttpServerOptions options = {}, HttpServer::Handler handler = echo()) {
    auto opened = HttpServer::open("127.0.0.1:0", std::move(handler), clock_, options);
    CHECK(opened.has_value());
    server_ = std::move(opened).value();
    thread_ = std::thread([this] { server_->run(); });
  }
  ~RunningServer() {
    server_->request_stop();
    thread_.join();
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  static HttpServer::Handler echo() {
    return [](const HttpAsked& asked) { return HttpReply{200, "text/plain", std::string(asked.path)}; };
  }
  const std::string& address() const { return server_->address(); }
  std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoi(address().substr(address().find(':') + 1)));
  }

 private:
  const SystemClock clock_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

// A client that says exactly what it is told. Its reads give up after 20 s, so that no test hangs.
class RawClient {
 public:
  explicit RawClient(const RunningServer& server) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    CHECK(setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    CHECK(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void say(std::string_view bytes) const {
    static_cast<void>(!send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }

  // Everything up to the end of the connection, or, where it is not closed in time, "(open)" behind it.
  std::string hear_to_the_end() const {
    std::string heard;
    char buffer[4096];
    for (;;) {
      const ssize_t size = read(fd_, buffer, sizeof buffer);
      if (size < 0 && errno != ECONNRESET) return heard + "(open)";
      if (size <= 0) return heard;
      heard.append(buffer, static_cast<std::size_t>(size));
    }
  }

 private:
  int fd_;
};

std::string answer_of(const RunningServer& server, std::string_view request) {
  const RawClient client(server);
  client.say(request);
  return client.hear_to_the_end();
}

std::string status_line(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }

TEST(HttpServer, AnswersAGetWithStrictHeaders) {
  const RunningServer server;
  const std::string answer =
      answer_of(server, "GET /a%20b?x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status_line(answer), "HTTP/1.1 200 OK");
  EXPECT_TRUE(answer.ends_with("\r\n\r\n/a b")) << answer;
  for (const char* header :
       {"Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'\r\n",
        "X-Content-Type-Options: nosniff\r\n", "Cross-Origin-Resource-Policy: same-origin\r\n",
        "Referrer-Policy: no-referrer\r\n", "Cache-Control: no-store\r\n", "Content-Type: text/plain\r\n"}) {
    EXPECT_NE(answer.find(header), std::string::npos) << header << answer;
  }
  EXPECT_EQ(answer.find("Access-Control"), std::string::npos);
}

TEST(HttpServer, AnswersManyRequestsOnOneConnection) {
  const RunningServer server;
  HttpClient client({});
  for (int i = 0; i < 5; ++i) {
    const auto response = client.send({HttpMethod::get, "http://" + server.address() + "/health", {}, {}});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "/health");
  }
}

TEST(HttpServer, AnswersAHeadWithoutItsBody) {
  const RunningServer server;
  const std::string answer =
      answer_of(server, "HEAD /abc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status_line(answer), "HTTP/1.1 200 OK");
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST(HttpServer, RefusesAnotherHostThanThisMachine) {
  const RunningServer server;
  for (const char* host : {"Host: evil.example\r\n", "Host: localhost.evil.example:9178\r\n",
                           "Host: localhost\r\nHost: evil.example\r\n", "Host: \r\n"}) {
    const std::string answer =
        answer_of(server, std::string("GET / HTTP/1.1\r\n") + host + "Connection: close\r\n\r\n");
    EXPECT_EQ(status_line(answer), "HTTP/1.1 403 Forbidden") << host;
    EXPECT_NE(answer.find("application/problem+json"), std::string::npos) << host;
  }
  const std::string none = answer_of(server, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(status_line(none).starts_with("HTTP/1.1 40")) << none;
}

TEST(HttpServer, RefusesEveryOtherMethodAndReadsNoBody) {
  const RunningServer server;
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "X"}) {
    const std::string answer =
        answer_of(server, std::string(method) +
                              " / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\nab");
    EXPECT_EQ(status_line(answer), "HTTP/1.1 405 Method Not Allowed") << method;
    EXPECT_NE(answer.find("Allow: GET, HEAD\r\n"), std::string::npos) << method;
    EXPECT_EQ(answer.find("(open)"), std::string::npos) << method;
  }
}

TEST(HttpServer, RefusesARequestThatIsTooLarge) {
  const RunningServer server;
  const std::string filler(100'000, 'x');
  const std::string uri = answer_of(server, "GET /" + filler + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_line(uri), "HTTP/1.1 414 URI Too Long") << uri.substr(0, 200);
  const std::string header =
      answer_of(server, "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + filler + "\r\n\r\n");
  EXPECT_EQ(status_line(header), "HTTP/1.1 431 Request Header Fields Too Large") << header.substr(0, 200);
}

TEST(HttpServer, LivesThroughWhatIsNoHttp) {
  const RunningServer server;
  for (const std::string& bytes :
       {std::string("\r\n\r\n\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01\x00", 7) + std::string(600, '\xFF'), std::string(40'000, '\0'),
        std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost\r\n\r\n"), std::string("GET / HTTP/1.1\r\n folded: x\r\n\r\n")}) {
    const RawClient client(server);
    client.say(bytes);
  }
  const std::string answer =
      answer_of(server, "GET /alive HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("/alive")) << answer;
}

TEST(HttpServer, ClosesAConnectionThatFinishesNoRequest) {
  HttpServerOptions options;
  options.patience = milliseconds(50);
  const RunningServer server(options);
  const RawClient silent(server);
  const RawClient begun(server);
  begun.say("GET / HTTP/1.1\r\nHost: loc");
  EXPECT_EQ(silent.hear_to_the_end(), "");
  EXPECT_EQ(begun.hear_to_the_end().find("(open)"), std::string::npos);
}

TEST(HttpServer, MakesRoomForANewClientWhenAllSlotsAreTaken) {
  HttpServerOptions options;
  options.connections_max = 4;
  options.patience = hours(1);
  const RunningServer server(options);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 12; ++i) {
    slow.push_back(std::make_unique<RawClient>(server));
    slow.back()->say("GET / HT");
  }
  const std::string answer =
      answer_of(server, "GET /me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("/me")) << answer;
  EXPECT_EQ(slow.front()->hear_to_the_end().find("(open)"), std::string::npos);
}

TEST(HttpServer, AnswersWithAnErrorWhenTheHandlerFails) {
  const RunningServer server({}, [](const HttpAsked&) -> HttpReply { throw std::runtime_error("x"); });
  const std::string answer =
      answer_of(server, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status_line(answer), "HTTP/1.1 500 Internal Server Error");
}

TEST(HttpServer, SaysWhoHasThePortAndWhatToDo) {
  const RunningServer server;
  const SystemClock clock;
  const auto second = HttpServer::open(server.address(), RunningServer::echo(), clock);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::unavailable);
  EXPECT_EQ(second.error().message, "listen on " + server.address() + ": Address already in use");
  EXPECT_NE(second.error().fix.find("ss -ltnp"), std::string::npos);
}

TEST(HttpServer, RefusesAnAddressThatOthersReach) {
  const SystemClock clock;
  const auto server = HttpServer::open("0.0.0.0:0", RunningServer::echo(), clock);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Errc::invalid);
}

TEST(HttpServer, MayBeOpenedAndNeverRun) {
  const SystemClock clock;
  EXPECT_TRUE(HttpServer::open("127.0.0.1:0", RunningServer::echo(), clock));
}

}  // namespace
}  // namespace virtmeter
