#include "net/url.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

TEST(Url, SplitsIntoItsParts) {
  const auto check = [](std::string_view text, std::string_view origin, std::string_view path) {
    const Result<Url> url = parse_url(text);
    ASSERT_TRUE(url) << text << ": " << url.error().message;
    EXPECT_EQ(url->origin(), origin) << text;
    EXPECT_EQ(url->path, path) << text;
    EXPECT_EQ(url->base(), std::string(origin) + std::string(path)) << text;
  };
  check("http://influx:8086", "http://influx:8086", "");
  check("http://influx:8086/", "http://influx:8086", "");
  check("https://influx", "https://influx", "");
  check("https://proxy.example/tsdb/", "https://proxy.example", "/tsdb");
  check("http://proxy/insert/0/influx//", "http://proxy", "/insert/0/influx");
  check("http://[::1]:8086", "http://[::1]:8086", "");
  check("HTTP://Influx:8086", "http://Influx:8086", "");
}

TEST(Url, RefusesWhatIsNoServersAddress) {
  const auto check = [](std::string_view text, std::string_view want) {
    const Result<Url> url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Errc::invalid);
    EXPECT_EQ(url.error().message, want);
    EXPECT_EQ(url.error().fix,
              "write it as http://HOST:PORT or https://HOST:PORT, with a path if the server has one");
  };
  check("ftp://influx/x", "url ftp://influx/x: neither http nor https");
  check("influx", "url influx: Bad scheme");
  check("http://influx:port",
        "url http://influx:port: Port number was not a decimal number between 0 and 65535");
  check("htp://admin:secret@influx", "url ...@influx: neither http nor https");
}

TEST(Url, RefusesSecretsWithoutRepeatingThem) {
  const Result<Url> password = parse_url("http://admin:secret@influx:8086");
  ASSERT_FALSE(password);
  EXPECT_EQ(password.error().message, "url ...@influx:8086: holds a user name or password");
  EXPECT_EQ(password.error().fix,
            "give the credential in its own setting, as user:password, and leave it out of the URL");

  const Result<Url> query = parse_url("http://influx:8086/write?p=secret");
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().message, "url http://influx:8086/write: holds a query");

  const auto check = [](std::string_view text, std::string_view want) {
    EXPECT_EQ(parse_url(text).error().message, want);
  };
  check("http://influx:port/write?p=secret",
        "url http://influx:port/write: Port number was not a decimal number between 0 and 65535");
  check("ftp://influx/write#secret", "url ftp://influx/write: neither http nor https");
  check("ftp://admin:secret@influx/?p=secret", "url ...@influx/: neither http nor https");
  check("ftp://influx/?p=sec@ret", "url ...: neither http nor https");
  check("ftp://admin:sec?r@et", "url ...: Port number was not a decimal number between 0 and 65535");
}

TEST(PercentEncoded, KeepsOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encoded("vmstats-1_a.b~c"), "vmstats-1_a.b~c");
  EXPECT_EQ(percent_encoded("my db&precision=s/\xC3\xA9\n"), "my%20db%26precision%3Ds%2F%C3%A9%0A");
}

TEST(Loopback, IsThisMachineByNameOrAddress) {
  for (const std::string_view host :
       {"localhost", "LOCALHOST", "vm.localhost", "127.0.0.1", "127.8.9.1", "[::1]"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const std::string_view host : {"127.evil.example", "10.0.0.1", "localhost.example", "[fe80::1]", ""}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace virtmeter
