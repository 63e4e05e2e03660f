#include "sink/sink_table.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sink/test_lines.h"

namespace virtmeter {
namespace {

// Options that every row of the table can work with, and what has arrived at the row's sink.
class World {
 public:
  World() : server_([](const TestRequest&) { return http_reply(204, "", "X-Influxdb-Version: 1.6.7\r\n"); }) {
    std::string folder = (std::filesystem::temp_directory_path() / "virtmeter-sinks-XXXXXX").string();
    CHECK(mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    options_.influx_url = server_.url();
    options_.influx_token = "s3cret-t0ken";
    options_.file_path = folder_ + "/lines.lp";
  }
  ~World() { std::filesystem::remove_all(folder_); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const SinkOptions& options() const { return options_; }

  std::string arrived() {
    std::ostringstream file;
    file << std::ifstream(options_.file_path).rdbuf();
    return lines_written(server_) + file.str();
  }

 private:
  TestServer server_;
  std::string folder_;
  SinkOptions options_;
};

// The contract that each sink of the table keeps.
TEST(SinkContract, EverySinkDeliversTheBytesItIsGiven) {
  for (const SinkRow& row : sink_table()) {
    World world;
    ManualClock clock;
    ASSERT_TRUE(row.wanted(world.options())) << row.name;
    const auto sink = row.open(world.options(), clock).value();
    EXPECT_EQ(sink->name(), row.name);
    EXPECT_EQ(sink->target().find("s3cret"), std::string::npos) << sink->target();
    EXPECT_TRUE(sink->check()) << row.name;
    EXPECT_EQ(world.arrived(), "") << row.name << ": check() stores nothing";

    for (int i = 0; i < 3; ++i) {
      const std::string lines = test_lines(100 * i, 100);
      const SendResult result = sink->send(batch_of(lines, 100, static_cast<std::uint64_t>(100 * i)));
      EXPECT_EQ(result.verdict, Verdict::delivered) << row.name << ": " << result.error.message;
      EXPECT_EQ(result.lost_lines, 0u);
      EXPECT_EQ(result.cost.raw_bytes, lines.size());
    }
    EXPECT_EQ(world.arrived(), test_lines(0, 300)) << row.name;
  }
}

TEST(SinkTable, PrefersInfluxToTheFile) {
  ManualClock clock;
  SinkOptions options;
  options.influx_url = "http://influx:8086";
  options.file_path = "/var/log/lines.lp";
  EXPECT_EQ(open_sink(options, clock).value()->target(), "http://influx:8086, database \"vmstats\"");
  options.influx_url.clear();
  EXPECT_EQ(open_sink(options, clock).value()->target(), "file /var/log/lines.lp");
}

TEST(SinkTable, SaysThatNothingIsConfigured) {
  ManualClock clock;
  const auto sink = open_sink({}, clock);
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().code, Errc::invalid);
  EXPECT_EQ(sink.error().message, "no sink is configured");
  EXPECT_EQ(sink.error().fix, "set influx_url, or name a file to write to");
}

}  // namespace
}  // namespace virtmeter
