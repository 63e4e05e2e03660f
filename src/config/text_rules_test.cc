#include "config/text_rules.h"

#include <gtest/gtest.h>

#include <string>

#include "config/options.h"

namespace virtmeter {
namespace {

// "what; fix", or "" when the text is accepted.
std::string complaint(std::string_view key, std::string_view text) {
  const auto found = check_text(*find_option(key), text);
  return found ? found->what + "; " + found->fix : "";
}

TEST(WebAddress, AcceptsAHostWithPortAndPath) {
  for (const std::string_view text :
       {"", "http://influx", "https://influx.lan:8086", "http://127.0.0.1:8086/", "http://[::1]:8086",
        "HTTP://h/vm/insert", "https://a-b_c.example/x/y/"}) {
    EXPECT_EQ(complaint("influx_url", text), "");
  }
}

TEST(WebAddress, SaysWhatIsWrongWithAnother) {
  const auto check = [](std::string_view text, std::string_view want) {
    EXPECT_EQ(complaint("influx_url", text), want) << text;
  };
  check("influx:8086",
        "influx_url must start with http:// or https://, got \"influx:8086\"; did you mean "
        "\"http://influx:8086\"?");
  check("udp://influx",
        "influx_url must start with http:// or https://, got \"udp://influx\"; for example "
        "\"http://127.0.0.1:8086\"");
  check("http://", "influx_url names no valid host, got \"http://\"; for example \"http://127.0.0.1:8086\"");
  check("http://:8086",
        "influx_url names no valid host, got \"http://:8086\"; for example \"http://127.0.0.1:8086\"");
  check("http://h:0",
        "influx_url must have a port from 1 to 65535, got \"http://h:0\"; for example "
        "\"http://127.0.0.1:8086\"");
  check("http://h:",
        "influx_url must have a port from 1 to 65535, got \"http://h:\"; for example "
        "\"http://127.0.0.1:8086\"");
  check("http://h?db=x",
        "influx_url must end before any '?', '#' or space, got \"http://h?(hidden)\"; "
        "for example \"http://127.0.0.1:8086\"");
}

TEST(WebAddress, NeverShowsAPassword) {
  for (const std::string_view text :
       {"http://u:pw@h", "http://u:p/w@h", "u:pw@h", "ftp://u:pw@h", "http://u@h"}) {
    EXPECT_EQ(complaint("influx_url", text),
              "influx_url holds a user name or password; leave them out and set influx_token instead");
  }
}

TEST(WebAddress, NeverShowsAQuery) {
  for (const std::string_view text :
       {"http://h/write?p=S3CRET", "h?p=S3CRET", "ftp://h?p=S3CRET", "http://?p=S3CRET"}) {
    const std::string said = complaint("influx_url", text);
    EXPECT_NE(said, "");
    EXPECT_EQ(said.find("S3CRET"), std::string::npos) << said;
  }
}

TEST(ListenAddress, IsHostAndPortOrNothing) {
  for (const std::string_view text :
       {"", "127.0.0.1:9178", "localhost:1", "0.0.0.0:65535", "[::1]:9178", "[fe80::1%eth0]:80"}) {
    EXPECT_EQ(complaint("http.listen", text), "");
  }
}

TEST(ListenAddress, SaysWhatIsWrongWithAnother) {
  const std::string fix = "; write host:port, for example \"127.0.0.1:9178\", or nothing for no server";
  const auto check = [&](std::string_view text, const std::string& what) {
    EXPECT_EQ(complaint("http.listen", text), what + fix) << text;
  };
  check("9178", "http.listen must have a port from 1 to 65535, got \"9178\"");
  check("localhost", "http.listen must have a port from 1 to 65535, got \"localhost\"");
  check(":9178", "http.listen must be host:port, got \":9178\"");
  check("h:0", "http.listen must have a port from 1 to 65535, got \"h:0\"");
  check("h:65536", "http.listen must have a port from 1 to 65535, got \"h:65536\"");
  check("h:http", "http.listen must have a port from 1 to 65535, got \"h:http\"");
  check("h:+80", "http.listen must have a port from 1 to 65535, got \"h:+80\"");
  check("http://h:80", "http.listen must be host:port, got \"http://h:80\"");
  check("[]:80", "http.listen must be host:port, got \"[]:80\"");
  check("[h]:80", "http.listen must be host:port, got \"[h]:80\"");
  check("a b:80", "http.listen must be host:port, got \"a b:80\"");
  check("]:80", "http.listen must be host:port, got \"]:80\"");
}

TEST(ListenAddress, OffersBracketsForIpv6) {
  EXPECT_EQ(complaint("http.listen", "::1:9178"),
            "http.listen must be host:port, got \"::1:9178\"; did you mean \"[::1]:9178\"?");
}

TEST(NotEmpty, RefusesTheEmptyText) {
  EXPECT_EQ(complaint("influx_db", ""),
            "influx_db must not be empty; write a text, for example \"vmstats\", or leave the key out");
  EXPECT_EQ(complaint("state_dir", ""),
            "state_dir must not be empty; write a text, for example "
            "\"/var/lib/virtmeter\", or leave the key out");
  EXPECT_EQ(complaint("host_tag", ""), "");
}

TEST(EveryText, IsPrintableAndNotTooLong) {
  const auto check = [](const std::string& text, std::string_view shown) {
    EXPECT_EQ(complaint("host_tag", text), "host_tag holds control characters or is not UTF-8: \"" +
                                               std::string(shown) + "\"; write printable characters only");
  };
  check(std::string("a\0b", 3), "a?b");
  check("a\x1b[31m", "a?[31m");
  check("a\nb", "a?b");
  check("\xFF", "?");
  EXPECT_EQ(complaint("host_tag", "h\xC3\xA9te"), "");
  EXPECT_EQ(complaint("host_tag", std::string(4096, 'x')), "");
  EXPECT_EQ(complaint("host_tag", std::string(4097, 'x')),
            "host_tag is longer than 4096 bytes; write a shorter text");
}

}  // namespace
}  // namespace virtmeter
