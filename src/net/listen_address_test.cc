#include "net/listen_address.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

TEST(ListenAddress, TakesLoopbackInEverySpelling) {
  const auto check = [](std::string_view text, std::string_view want, int family) {
    const auto listen = parse_listen_address(text);
    ASSERT_TRUE(listen) << text << ": " << listen.error().message;
    EXPECT_EQ(listen->text(), want);
    EXPECT_EQ(listen->address.ss_family, family) << text;
  };
  check("127.0.0.1:9178", "127.0.0.1:9178", AF_INET);
  check("127.1.2.3:1", "127.1.2.3:1", AF_INET);
  check("localhost:0", "localhost:0", AF_INET);
  check("[::1]:65535", "[::1]:65535", AF_INET6);
}

TEST(ListenAddress, RefusesWhatOthersCouldReach) {
  for (const std::string_view text : {"0.0.0.0:9178", "[::]:9178", "192.0.2.7:9178", "host.example:9178",
                                      "a.localhost:9178", "127.999.0.1:9178", "[fe80::1]:9178"}) {
    const auto listen = parse_listen_address(text);
    ASSERT_FALSE(listen) << text;
    EXPECT_EQ(listen.error().code, Errc::invalid);
    EXPECT_EQ(listen.error().message, "listen on " + std::string(text) +
                                          ": others could reach it, and there is neither TLS nor a "
                                          "credential to keep them out");
    EXPECT_EQ(listen.error().fix,
              "write 127.0.0.1:9178; from another machine use ssh -L 9178:127.0.0.1:9178");
  }
}

TEST(ListenAddress, RefusesWhatIsNoAddress) {
  for (const std::string_view text : {"", ":", ":9178", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
                                      "127.0.0.1:65536", "::1:9178", "[::1", "[::1]9178", "[::1]:"}) {
    const auto listen = parse_listen_address(text);
    ASSERT_FALSE(listen) << text;
    EXPECT_NE(listen.error().message.find("that is not host:port"), std::string::npos) << text;
  }
}

TEST(HostHeader, IsALoopbackNameWithAnyPortOrNone) {
  for (const std::string_view value :
       {"localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:9178", "[::1]", "[::1]:9178", "127.8.8.8:1"}) {
    EXPECT_TRUE(is_loopback_host_header(value)) << value;
  }
}

TEST(HostHeader, IsNoNameThatSomebodyElseMayOwn) {
  for (const std::string_view value :
       {"", "evil.example", "evil.example:9178", "127.0.0.1.evil.example", "localhost.evil.example:9178",
        "evil.localhost", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:1:2", "[::1", "[::1]x", "::1",
        "localhost, evil.example", " localhost", "0.0.0.0"}) {
    EXPECT_FALSE(is_loopback_host_header(value)) << value;
  }
}

}  // namespace
}  // namespace virtmeter
