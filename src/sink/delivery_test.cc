#include "sink/delivery.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "sink/test_delivery.h"

namespace virtmeter {
namespace {

using std::chrono::seconds;

SendResult verdict(Verdict what, std::string message = "server says no") {
  SendResult result;
  result.verdict = what;
  result.cause = "test";
  result.cost = {1, 10, 5};
  if (what != Verdict::delivered) result.error = {Errc::unavailable, std::move(message), "mend it"};
  return result;
}

// A sink whose answers the test writes; it keeps the lines that it delivered.
class FakeSink final : public Sink {
 public:
  explicit FakeSink(std::function<SendResult(const Batch&)> answer) : answer_(std::move(answer)) {}
  std::string_view name() const override { return "fake"; }
  std::string target() const override { return "nowhere"; }
  SendResult send(const Batch& batch) override {
    ++sends;
    SendResult result = answer_(batch);
    if (result.verdict == Verdict::delivered) got += batch.bytes;
    return result;
  }
  Status check() override { return Status::ok(); }

  std::string got;
  int sends = 0;

 private:
  std::function<SendResult(const Batch&)> answer_;
};

TEST(Delivery, DeliversAllAndEndsWithTheQueue) {
  ManualClock clock;
  LineQueue queue(batches_of(10), clock);
  FakeSink sink([](const Batch&) { return verdict(Verdict::delivered); });
  Delivery delivery(queue, sink, clock, seeded());
  push(queue, 0, 25);
  queue.close();
  delivery.run();
  EXPECT_EQ(sink.got, test_lines(0, 25));
  EXPECT_EQ(sink.sends, 3);

  const DeliveryStatus status = delivery.status();
  EXPECT_EQ(status.sink, "fake");
  EXPECT_EQ(status.target, "nowhere");
  EXPECT_EQ(status.lines.delivered, 25u);
  EXPECT_EQ(status.cost.requests, 3u);
  EXPECT_EQ(status.cost.raw_bytes, 30u);
  EXPECT_EQ(status.cost.wire_bytes, 15u);
  EXPECT_EQ(status.retries, 0u);
  EXPECT_EQ(status.last_success, clock.wall_now());
  EXPECT_FALSE(status.failing_since);
  EXPECT_FALSE(status.last_error);
  expect_conserved(status.lines);
}

TEST(Delivery, SendsTheSameBytesAgainWithGrowingWaits) {
  ManualClock clock;
  const LogCapture log;
  LineQueue queue(batches_of(10), clock);
  std::vector<std::string> bodies;
  const BootTime start = clock.boot_now();
  FakeSink sink([&](const Batch& batch) {
    bodies.emplace_back(batch.bytes);
    push(queue, 100 * static_cast<int>(bodies.size()), 1);
    return verdict(bodies.size() <= 8 ? Verdict::retry : Verdict::delivered);
  });
  Delivery delivery(queue, sink, clock, seeded());
  push(queue, 0, 10);
  FakeSink stopper([&](const Batch& batch) {
    const SendResult result = sink.send(batch);
    if (result.verdict == Verdict::delivered) queue.close();
    return result;
  });
  Delivery(queue, stopper, clock, seeded()).run();

  ASSERT_GE(bodies.size(), 9u);
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(bodies[i], test_lines(0, 10));
  const auto waited = std::chrono::duration_cast<seconds>(clock.boot_now() - start);
  EXPECT_GT(waited, seconds(20));
  EXPECT_LT(waited, seconds(1 + 2 + 4 + 8 + 16 + 32 + 60 + 60));
  const auto lines = log.lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "warning delivery fails, lines wait: server says no; fix: mend it");
  EXPECT_EQ(lines[1], "info delivery to nowhere works again after " + std::to_string(waited.count()) +
                          "s; 19 lines have waited");
}

TEST(Delivery, HonoursRetryAfter) {
  ManualClock clock;
  LineQueue queue(batches_of(10), clock);
  const BootTime start = clock.boot_now();
  FakeSink sink([&](const Batch&) {
    SendResult result = verdict(sink.sends == 1 ? Verdict::retry : Verdict::delivered);
    if (sink.sends == 1) result.retry_after = seconds(90);
    return result;
  });
  push(queue, 0, 1);
  queue.close();
  Delivery(queue, sink, clock, seeded()).run();
  EXPECT_EQ(clock.boot_now() - start, seconds(90));
}

TEST(Delivery, KeepsAllAndSaysSoWhileTheServerRefusesTheCredential) {
  ManualClock clock;
  const LogCapture log;
  LineQueue queue(batches_of(10), clock);
  const BootTime start = clock.boot_now();
  const WallTime wall = clock.wall_now();
  std::optional<DeliveryStatus> during;
  Delivery* running = nullptr;
  FakeSink sink([&](const Batch&) {
    if (sink.sends == 4) during = running->status();
    return verdict(sink.sends <= 4 ? Verdict::stop_and_say : Verdict::delivered, "credential refused");
  });
  Delivery delivery(queue, sink, clock, seeded());
  running = &delivery;
  push(queue, 0, 10);
  queue.close();
  delivery.run();
  EXPECT_EQ(clock.boot_now() - start, seconds(240));
  EXPECT_EQ(sink.got, test_lines(0, 10));

  ASSERT_TRUE(during);
  EXPECT_EQ(during->lines.in_flight, 10u);
  EXPECT_EQ(during->failing_since, wall);
  EXPECT_EQ(during->retries, 3u);
  ASSERT_TRUE(during->last_error);
  EXPECT_EQ(during->last_error->message, "credential refused");
  EXPECT_EQ(during->last_error->fix, "mend it");
  EXPECT_FALSE(during->last_success);
  EXPECT_FALSE(delivery.status().failing_since);
  EXPECT_EQ(log.lines(), (std::vector<std::string>{
                             "warning delivery fails, lines wait: credential refused; fix: mend it",
                             "info delivery to nowhere works again after 240s; 10 lines have waited"}));
}

TEST(Delivery, TriesAtOnceWhenItIsTold) {
  ManualClock clock;
  LineQueue queue(batches_of(10), clock);
  Delivery* told = nullptr;
  int sends = 0;
  FakeSink sink([&](const Batch&) {
    if (++sends > 1) return verdict(Verdict::delivered);
    told->retry_now();
    return verdict(Verdict::stop_and_say);
  });
  Delivery delivery(queue, sink, clock, seeded());
  told = &delivery;
  push(queue, 0, 10);
  queue.close();
  const BootTime start = clock.boot_now();
  delivery.run();
  EXPECT_EQ(clock.boot_now() - start, seconds(0));
  EXPECT_EQ(delivery.status().lines.delivered, 10u);
}

TEST(Delivery, WarnsAgainWhenItFailsInAnotherWay) {
  ManualClock clock;
  const LogCapture log;
  LineQueue queue(batches_of(10), clock);
  FakeSink sink([&](const Batch&) {
    if (sink.sends <= 2) return verdict(Verdict::retry, "not reached");
    if (sink.sends <= 4) return verdict(Verdict::stop_and_say, "refused");
    return verdict(Verdict::delivered);
  });
  push(queue, 0, 1);
  queue.close();
  Delivery(queue, sink, clock, seeded()).run();
  const auto lines = log.lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "warning delivery fails, lines wait: not reached; fix: mend it");
  EXPECT_EQ(lines[1], "warning delivery fails, lines wait: refused; fix: mend it");
}

TEST(Delivery, FindsTheBadLinesAndDeliversAllOthers) {
  const auto check = [](const std::vector<int>& bad, int sends_max) {
    ManualClock clock;
    const LogCapture log;
    LineQueue queue(batches_of(2000), clock);
    FakeSink sink([&](const Batch& batch) {
      for (const int line : bad) {
        if (batch.bytes.find(test_line(line)) != std::string_view::npos)
          return verdict(Verdict::split, "bad line");
      }
      return verdict(Verdict::delivered);
    });
    Delivery delivery(queue, sink, clock, seeded());
    push(queue, 0, 2000);
    queue.close();
    delivery.run();
    std::string want = test_lines(0, 2000);
    for (const int line : bad) want.erase(want.find(test_line(line)), test_line(line).size());
    EXPECT_EQ(sink.got, want);
    EXPECT_LE(sink.sends, sends_max);
    const LineCounts counts = delivery.status().lines;
    EXPECT_EQ(counts.delivered, 2000 - bad.size());
    EXPECT_EQ(counts.dropped.rejected, bad.size());
    expect_conserved(counts);
    const std::string line = test_line(bad[0]);
    EXPECT_EQ(log.lines(), std::vector<std::string>{
                               "warning lines dropped: 1, because bad line; fix: mend it; one of them: " +
                               line.substr(0, line.size() - 1)});
  };
  check({0}, 23);
  check({1234}, 23);
  check({1999}, 23);
  check({5, 6, 1000}, 69);
}

TEST(Delivery, DropsABatchThatCanNeverBeStored) {
  ManualClock clock;
  LineQueue queue(batches_of(10), clock);
  FakeSink sink(
      [&](const Batch&) { return verdict(sink.sends == 1 ? Verdict::reject : Verdict::delivered); });
  Delivery delivery(queue, sink, clock, seeded());
  push(queue, 0, 15);
  queue.close();
  delivery.run();
  EXPECT_EQ(sink.got, test_lines(10, 5));
  EXPECT_EQ(delivery.status().lines.dropped.rejected, 10u);
  EXPECT_EQ(delivery.status().last_error->message, "server says no");
}

TEST(Delivery, CountsTheLinesOfAPartialWriteAndShowsOneHarmlessly) {
  ManualClock clock;
  const LogCapture log;
  LineQueue queue(batches_of(10), clock);
  FakeSink sink([](const Batch&) {
    SendResult result = verdict(Verdict::delivered);
    result.error = {Errc::invalid, "partial write", "look"};
    result.rejected_lines = 2;
    result.rejected_line = 1;
    return result;
  });
  Delivery delivery(queue, sink, clock, seeded());
  queue.push("a v=1\nb\x1b[2J" + std::string(500, 'y') + "\nc v=3\n", 3);
  queue.close();
  delivery.run();
  EXPECT_EQ(delivery.status().lines.delivered, 1u);
  EXPECT_EQ(delivery.status().lines.dropped.rejected, 2u);
  EXPECT_EQ(log.lines(),
            std::vector<std::string>{"warning lines dropped: 2, because partial write; fix: look; "
                                     "one of them: b?[2J" +
                                     std::string(195, 'y') + "..."});
}

TEST(Delivery, TellsOfRejectedLinesOnceAnHourPerCause) {
  ManualClock clock;
  const LogCapture log;
  LineQueue queue(batches_of(1), clock);
  FakeSink sink([&](const Batch&) {
    if (sink.sends == 5) clock.advance(std::chrono::hours(1));
    return verdict(Verdict::reject);
  });
  push(queue, 0, 6);
  queue.close();
  Delivery(queue, sink, clock, seeded()).run();
  const auto lines = log.lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[1].ends_with(" (4 times since it was last told)")) << lines[1];
}

TEST(Delivery, FlushesUntilTheDeadlineAndCountsTheRest) {
  ManualClock clock;
  const LogCapture log;
  LineQueue queue(batches_of(10), clock);
  const BootTime deadline = clock.boot_now() + seconds(3);
  Delivery* running = nullptr;
  FakeSink sink([&](const Batch&) {
    if (sink.sends == 1) running->request_stop(deadline);
    clock.advance(seconds(1));
    return verdict(Verdict::delivered);
  });
  Delivery delivery(queue, sink, clock, seeded());
  running = &delivery;
  push(queue, 0, 100);
  delivery.run();
  EXPECT_EQ(sink.got, test_lines(0, 30));
  const LineCounts counts = delivery.status().lines;
  EXPECT_EQ(counts.delivered, 30u);
  EXPECT_EQ(counts.dropped.shutdown, 70u);
  expect_conserved(counts);
  EXPECT_EQ(log.lines(),
            std::vector<std::string>{
                "warning virtmeter ends: 70 lines for nowhere are lost, there was no time left"});
}

TEST(Delivery, TriesAgainBrieflyWhileStopping) {
  ManualClock clock;
  LineQueue queue(batches_of(5), clock);
  const BootTime start = clock.boot_now();
  Delivery* running = nullptr;
  FakeSink sink([&](const Batch&) {
    if (sink.sends == 1) running->request_stop(start + seconds(3));
    return verdict(Verdict::retry);
  });
  Delivery delivery(queue, sink, clock, seeded());
  running = &delivery;
  push(queue, 0, 5);
  delivery.run();
  EXPECT_EQ(sink.sends, 12);  // Every 250 ms.
  EXPECT_EQ(clock.boot_now() - start, seconds(3));
  EXPECT_EQ(delivery.status().lines.dropped.shutdown, 5u);
  expect_conserved(delivery.status().lines);
}

TEST(Delivery, DoesNotWaitForACredentialWhileStopping) {
  ManualClock clock;
  LineQueue queue(batches_of(5), clock);
  const BootTime start = clock.boot_now();
  Delivery* running = nullptr;
  FakeSink sink([&](const Batch&) {
    running->request_stop(start + seconds(3));
    return verdict(Verdict::stop_and_say);
  });
  Delivery delivery(queue, sink, clock, seeded());
  running = &delivery;
  push(queue, 0, 5);
  delivery.run();
  EXPECT_EQ(sink.sends, 1);
  EXPECT_EQ(clock.boot_now(), start);
  EXPECT_EQ(delivery.status().lines.dropped.shutdown, 5u);
}

TEST(Delivery, ConservesLinesThroughRandomAnswers) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    ManualClock clock;
    LineQueueOptions options = batches_of(7);
    options.max_queue = 40;
    LineQueue queue(options, clock);
    std::minstd_rand random(seed);
    int next = 0;
    FakeSink sink([&](const Batch& batch) {
      if (next < 500) push(queue, next, 9);
      next += 9;
      if (next >= 500) queue.close();
      expect_conserved(queue.counts());
      SendResult result = verdict(static_cast<Verdict>(random() % 5));
      if (result.verdict == Verdict::delivered) result.rejected_lines = random() % (batch.line_count + 1);
      return result;
    });
    push(queue, 0, 1);
    Delivery delivery(queue, sink, clock, seeded());
    delivery.run();
    expect_conserved(delivery.status().lines);
    EXPECT_EQ(delivery.status().lines.waiting + delivery.status().lines.in_flight, 0u);
  }
}

}  // namespace
}  // namespace virtmeter
