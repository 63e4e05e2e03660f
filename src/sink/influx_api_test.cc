#include "sink/influx_api.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

InfluxTarget target(std::string_view url, std::string token = "") {
  return {parse_url(url).value(), "my db", "acme & co", std::move(token)};
}

TEST(InfluxApi, BuildsEachWriteUrl) {
  const auto check = [](std::string_view url, InfluxApi api, std::string_view want) {
    EXPECT_EQ(write_url(target(url), api), want);
  };
  check("http://h:8086", InfluxApi::v1, "http://h:8086/write?db=my%20db&precision=ns");
  check("http://h:8086/", InfluxApi::victoria_metrics, "http://h:8086/write?db=my%20db&precision=ns");
  check("https://h/tsdb/", InfluxApi::v2,
        "https://h/tsdb/api/v2/write?org=acme%20%26%20co&bucket=my%20db&precision=ns");
  check("http://h:8181", InfluxApi::v3,
        "http://h:8181/api/v3/write_lp?db=my%20db&precision=nanosecond&accept_partial=true");
  EXPECT_EQ(ping_url(target("https://h/tsdb/")), "https://h/tsdb/ping");
}

TEST(InfluxApi, BuildsEachAuthorization) {
  const auto check = [](std::string token, InfluxApi api, std::string_view want) {
    const auto header = authorization(target("http://h", std::move(token)), api);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->name, "Authorization");
    EXPECT_EQ(header->value, want);
  };
  check("alice:secret", InfluxApi::v1, "Basic YWxpY2U6c2VjcmV0");
  check("alice:secre", InfluxApi::v1, "Basic YWxpY2U6c2VjcmU=");
  check("alice:secr", InfluxApi::v1, "Basic YWxpY2U6c2Vjcg==");
  check("t0ken", InfluxApi::v1, "Token t0ken");
  check("alice:secret", InfluxApi::v2, "Token alice:secret");
  check("t0ken==", InfluxApi::v2, "Token t0ken==");
  check("apiv3_t0ken", InfluxApi::v3, "Bearer apiv3_t0ken");
  check("t0ken", InfluxApi::victoria_metrics, "Bearer t0ken");
  check("alice:secret", InfluxApi::victoria_metrics, "Basic YWxpY2U6c2VjcmV0");
  check("t0ken", InfluxApi::automatic, "Bearer t0ken");
  check("alice:secret", InfluxApi::automatic, "Basic YWxpY2U6c2VjcmV0");
  EXPECT_FALSE(authorization(target("http://h"), InfluxApi::v1));
}

TEST(InfluxApi, KnowsEveryFormOfTheSecret) {
  EXPECT_EQ(secrets_of(target("http://h")), std::vector<std::string>{});
  EXPECT_EQ(secrets_of(target("http://h", "t0ken")),
            (std::vector<std::string>{"t0ken", "dDBrZW4=", "t0ken"}));
  EXPECT_EQ(secrets_of(target("http://h", "alice:secret")),
            (std::vector<std::string>{"alice:secret", "YWxpY2U6c2VjcmV0", "alice%3Asecret", "secret"}));
}

TEST(InfluxApi, TellsServersApart) {
  const auto check = [](std::vector<HttpHeader> headers, std::optional<InfluxApi> want) {
    HttpResponse response;
    response.headers = std::move(headers);
    EXPECT_EQ(api_of(response), want);
  };
  check({{"X-Influxdb-Build", "OSS"}, {"X-Influxdb-Version", "1.6.7~rc0"}}, InfluxApi::v1);
  check({{"X-Influxdb-Version", "1.11.3-c1.11.3"}}, InfluxApi::v1);
  check({{"X-Influxdb-Build", "OSS"}, {"X-Influxdb-Version", "v2.7.1"}}, InfluxApi::v2);
  check({{"X-Influxdb-Version", "2.0.4"}}, InfluxApi::v2);
  check({{"X-Influxdb-Build", "Cloud"}, {"X-Influxdb-Version", "Cloud"}}, InfluxApi::v2);
  check({{"X-Influxdb-Build", "Core"}, {"X-Influxdb-Version", "3.10.0"}}, InfluxApi::v3);
  check({{"cluster-uuid", "8d4cdd8a-6f29-4e33-9d24-6a1d9d2f4e8e"}}, InfluxApi::v3);
  check({{"X-Server-Hostname", "tsdb1"}}, InfluxApi::victoria_metrics);
  check({{"X-Influxdb-Version", "1.8.0"}, {"X-Server-Hostname", "tsdb1"}}, InfluxApi::victoria_metrics);
  check({}, std::nullopt);
  check({{"X-Influxdb-Version", "unknown"}}, std::nullopt);
}

TEST(InfluxApi, HasANameInTheSettings) {
  EXPECT_EQ(name_of(InfluxApi::automatic), "auto");
  EXPECT_EQ(name_of(InfluxApi::v1), "v1");
  EXPECT_EQ(name_of(InfluxApi::v2), "v2");
  EXPECT_EQ(name_of(InfluxApi::v3), "v3");
  EXPECT_EQ(name_of(InfluxApi::victoria_metrics), "victoria_metrics");
}

}  // namespace
}  // namespace virtmeter
