// Delivery with the real sink, against a server on loopback that refuses, fails, stalls and dies.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "sink/delivery.h"
#include "sink/influx_sink.h"
#include "sink/test_delivery.h"

namespace virtmeter {
namespace {

using Then = TestReply::Then;

std::unique_ptr<Sink> influx(const TestServer& server, const Clock& clock, InfluxApi api = InfluxApi::v1) {
  InfluxOptions options;
  options.url = server.url();
  options.database = "vmstats";
  options.token = "s3cret-t0ken";
  options.api = api;
  return InfluxSink::open(std::move(options), clock).value();
}

// Points are idempotent: a database that has the lines already is not changed by them.
void store(std::string_view lines, std::string& database) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n') + 1);
    if (database.find(line) == std::string::npos) database += line;
    lines.remove_prefix(line.size());
  }
}

// Delivers lines 0 to 1999 to a server that answers what `refuses` says with `refusal` and all else with 204.
// Returns the lines it took.
std::string deliver_2000(const std::function<bool(const TestRequest&)>& refuses, const TestReply& refusal,
                         ReaderCounts& counts) {
  ManualClock clock;
  std::string taken;
  Mutex mutex;
  TestServer server([&](const TestRequest& request) {
    if (refuses(request)) return refusal;
    const MutexLock lock(mutex);
    if (is_write(request)) store(lines_of(request), taken);
    return http_reply(204);
  });
  TestSpool spool(2000, clock);
  const auto sink = influx(server, clock);
  Delivery delivery(spool.reader(), *sink, clock, seeded());
  spool.push(0, 2000);
  spool.close();
  delivery.run();
  counts = delivery.status().lines;
  expect_conserved(counts);
  const MutexLock lock(mutex);
  return taken;
}

bool writes_line(const TestRequest& request, int line) {
  return is_write(request) && lines_of(request).find(test_line(line)) != std::string::npos;
}

std::string all_but(int line) {
  std::string lines = test_lines(0, 2000);
  return lines.erase(lines.find(test_line(line)), test_line(line).size());
}

TEST(DeliveryToInflux, FindsOneBadLineAmong2000) {
  ReaderCounts counts;
  const auto bad = [](const TestRequest& request) { return writes_line(request, 777); };
  const TestReply refusal = http_reply(400, R"({"code":"invalid","message":"unable to parse 'x': bad"})");
  EXPECT_EQ(deliver_2000(bad, refusal, counts), all_but(777));
  EXPECT_EQ(counts.delivered, 1999u);
  EXPECT_EQ(rejected(counts), 1u);
}

TEST(DeliveryToInflux, FindsTheLineOverWhichTheServerDropsTheConnection) {
  ReaderCounts counts;
  const auto bad = [](const TestRequest& request) { return writes_line(request, 1500); };
  EXPECT_EQ(deliver_2000(bad, {"", Then::close}, counts), all_but(1500));
  EXPECT_EQ(counts.delivered, 1999u);
  EXPECT_EQ(rejected(counts), 1u);
}

// As a supervisor's restart after a panic looks from outside: after the bad line nothing is answered for a
// while.
TEST(DeliveryToInflux, FindsTheLineThatKillsTheServer) {
  ReaderCounts counts;
  int unanswered = 0;
  const auto bad = [&](const TestRequest& request) {
    if (unanswered > 0) return unanswered-- > 0;
    const bool kills = writes_line(request, 3);
    unanswered = kills ? 3 : 0;
    return kills;
  };
  EXPECT_EQ(deliver_2000(bad, {"", Then::close}, counts), all_but(3));
  EXPECT_EQ(counts.delivered, 1999u);
  EXPECT_EQ(rejected(counts), 1u);
}

// Nothing is known yet that the server takes.
TEST(DeliveryToInflux, FindsTheLineThatKillsTheServerAtTheVeryBeginning) {
  ReaderCounts counts;
  const auto bad = [](const TestRequest& request) { return writes_line(request, 0); };
  const std::string taken = deliver_2000(bad, {"", Then::close}, counts);
  EXPECT_EQ(taken.find(test_line(0)), std::string::npos);
  for (int i = 1; i < 2000; ++i) EXPECT_NE(taken.find(test_line(i)), std::string::npos) << i;
  EXPECT_EQ(counts.delivered, 1999u);
  EXPECT_EQ(rejected(counts), 1u);
}

// A hung disk: pings are answered, writes are not after the first `good` ones, and at last all is well again.
void check_drops_no_line(int good) {
  ManualClock clock;
  std::string taken;
  int writes = 0;
  Mutex mutex;
  TestServer server([&](const TestRequest& request) {
    if (!is_write(request)) return http_reply(204);
    const MutexLock lock(mutex);
    if (++writes > good && writes < 300) return TestReply{"", Then::close};
    store(lines_of(request), taken);
    return http_reply(204);
  });
  TestSpool spool(100, clock);
  const auto sink = influx(server, clock);
  Delivery delivery(spool.reader(), *sink, clock, seeded());
  spool.push(0, 400);
  spool.close();
  delivery.run();
  EXPECT_GT(writes, 300);
  EXPECT_EQ(delivery.status().lines.delivered, 400u);
  EXPECT_EQ(delivery.status().lines.dropped.total(), 0u);
  const MutexLock lock(mutex);
  // Live lines go first once the server is back.
  EXPECT_EQ(taken.size(), test_lines(0, 400).size());
  for (int i = 0; i < 400; ++i) EXPECT_NE(taken.find(test_line(i)), std::string::npos) << i;
}

TEST(DeliveryToInflux, DropsNoLineForAServerThatTakesNoneForALongTime) { check_drops_no_line(1); }
TEST(DeliveryToInflux, DropsNoLineForAServerThatTakesNoneFromTheFirstOn) { check_drops_no_line(0); }

TEST(DeliveryToInflux, SendsSmallerBodiesToAServerThatWantsThem) {
  ReaderCounts counts;
  const auto large = [](const TestRequest& request) { return lines_of(request).size() > 10'000; };
  EXPECT_EQ(deliver_2000(large, http_reply(413), counts), test_lines(0, 2000));
  EXPECT_EQ(counts.delivered, 2000u);
}

TEST(DeliveryToInflux, LosesNothingToAServerThatFailsNowAndThen) {
  ReaderCounts counts;
  int requests = 0;
  const std::vector<TestReply> faults = {
      http_reply(500, "timeout"), {"", Then::close}, http_reply(503, "", "Retry-After: 1\r\n"),
      {"", Then::reset},          http_reply(401),   http_reply(404, "database not found")};
  for (const TestReply& fault : faults) {
    requests = 0;
    EXPECT_EQ(deliver_2000([&](const TestRequest&) { return ++requests <= 3; }, fault, counts),
              test_lines(0, 2000));
    EXPECT_EQ(counts.delivered, 2000u);
    EXPECT_EQ(requests, 4);
  }
}

TEST(DeliveryToInflux, EndsAStalledTransferWhenStopped) {
  const SystemClock clock;
  TestServer server([](const TestRequest&) { return TestReply{"", Then::stall}; });
  TestSpool spool(1, clock);
  const auto sink = influx(server, clock);
  Delivery delivery(spool.reader(), *sink, clock);
  spool.push(0, 5);
  std::thread thread([&] { delivery.run(); });
  server.wait_for_requests(1);
  delivery.stop(std::chrono::milliseconds(50));
  thread.join();
  EXPECT_EQ(delivery.status().lines.waiting, 5u);
  EXPECT_EQ(delivery.status().last_error->message, server.url() + ": cancelled because virtmeter stops");
  expect_conserved(delivery.status().lines);
}

TEST(DeliveryToInflux, WakesFromALongWaitWhenStopped) {
  const SystemClock clock;
  std::atomic<int> writes{0};
  TestServer server([&](const TestRequest&) {
    return ++writes == 1 ? http_reply(503, "", "Retry-After: 600\r\n") : http_reply(204);
  });
  TestSpool spool(1, clock);
  const auto sink = influx(server, clock);
  Delivery delivery(spool.reader(), *sink, clock);
  spool.push(0, 1);
  std::thread thread([&] { delivery.run(); });
  while (delivery.status().retries == 0) std::this_thread::yield();
  delivery.stop(std::chrono::minutes(1));
  thread.join();
  EXPECT_EQ(writes, 2);
  EXPECT_EQ(delivery.status().lines.delivered, 1u);
  EXPECT_EQ(delivery.status().lines.dropped.total(), 0u);
}

TEST(DeliveryToInflux, NeverLogsTheToken) {
  ManualClock clock;
  const LogCapture log;
  std::atomic<int> writes{0};
  TestServer server([&](const TestRequest& request) {
    const std::string echo = "{\"error\":\"unable to parse '" + request.header("authorization") + "'\"}";
    const std::vector<int> statuses = {401, 500, 403, 400};
    const int write = writes++;
    return http_reply(write < 4 ? statuses[static_cast<std::size_t>(write)] : 204, echo);
  });
  TestSpool spool(1, clock);
  const auto sink = influx(server, clock);
  Delivery delivery(spool.reader(), *sink, clock, seeded());
  spool.push(0, 2);
  spool.close();
  delivery.run();
  EXPECT_GE(log.lines().size(), 4u);
  for (const std::string& line : log.lines()) EXPECT_EQ(line.find("s3cret"), std::string::npos) << line;
  EXPECT_EQ(delivery.status().last_error->message.find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace virtmeter
