#include "sink/delivery.h"

#include <gtest/gtest.h>

#include <random>

#include "sink/test_delivery.h"

namespace virtmeter {
namespace {

using std::chrono::seconds;

TEST(Delivery, DeliversAllAndEndsWithTheQueue) {
  ManualClock clock;
  TestSpool spool(10, clock);
  FakeSink sink([](const Batch&) { return verdict(Verdict::delivered); });
  Delivery delivery(spool.reader(), sink, clock, seeded());
  spool.push(0, 25);
  spool.close();
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
  TestSpool spool(10, clock);
  std::vector<std::string> bodies;
  const BootTime start = clock.boot_now();
  FakeSink sink([&](const Batch& batch) {
    bodies.emplace_back(batch.bytes);
    if (bodies.size() <= 9) spool.push(100 * static_cast<int>(bodies.size()), 1);
    return verdict(bodies.size() <= 8 ? Verdict::retry : Verdict::delivered);
  });
  Delivery delivery(spool.reader(), sink, clock, seeded());
  spool.push(0, 10);
  FakeSink stopper([&](const Batch& batch) {
    const SendResult result = sink.send(batch);
    if (result.verdict == Verdict::delivered) spool.close();
    return result;
  });
  Delivery(spool.reader(), stopper, clock, seeded()).run();

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
  TestSpool spool(10, clock);
  const BootTime start = clock.boot_now();
  FakeSink sink([&](const Batch&) {
    SendResult result = verdict(sink.sends == 1 ? Verdict::retry : Verdict::delivered);
    if (sink.sends == 1) result.retry_after = seconds(90);
    return result;
  });
  spool.push(0, 1);
  spool.close();
  Delivery(spool.reader(), sink, clock, seeded()).run();
  EXPECT_EQ(clock.boot_now() - start, seconds(90));
}

TEST(Delivery, KeepsAllAndSaysSoWhileTheServerRefusesTheCredential) {
  ManualClock clock;
  const LogCapture log;
  TestSpool spool(10, clock);
  const BootTime start = clock.boot_now();
  const WallTime wall = clock.wall_now();
  std::optional<DeliveryStatus> during;
  Delivery* running = nullptr;
  FakeSink sink([&](const Batch&) {
    if (sink.sends == 4) during = running->status();
    return verdict(sink.sends <= 4 ? Verdict::stop_and_say : Verdict::delivered, "credential refused");
  });
  Delivery delivery(spool.reader(), sink, clock, seeded());
  running = &delivery;
  spool.push(0, 10);
  spool.close();
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
  TestSpool spool(10, clock);
  Delivery* told = nullptr;
  int sends = 0;
  FakeSink sink([&](const Batch&) {
    if (++sends > 1) return verdict(Verdict::delivered);
    told->retry_now();
    return verdict(Verdict::stop_and_say);
  });
  Delivery delivery(spool.reader(), sink, clock, seeded());
  told = &delivery;
  spool.push(0, 10);
  spool.close();
  const BootTime start = clock.boot_now();
  delivery.run();
  EXPECT_EQ(clock.boot_now() - start, seconds(0));
  EXPECT_EQ(delivery.status().lines.delivered, 10u);
}

TEST(Delivery, WarnsAgainWhenItFailsInAnotherWay) {
  ManualClock clock;
  const LogCapture log;
  TestSpool spool(10, clock);
  FakeSink sink([&](const Batch&) {
    if (sink.sends <= 2) return verdict(Verdict::retry, "not reached");
    if (sink.sends <= 4) return verdict(Verdict::stop_and_say, "refused");
    return verdict(Verdict::delivered);
  });
  spool.push(0, 1);
  spool.close();
  Delivery(spool.reader(), sink, clock, seeded()).run();
  const auto lines = log.lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "warning delivery fails, lines wait: not reached; fix: mend it");
  EXPECT_EQ(lines[1], "warning delivery fails, lines wait: refused; fix: mend it");
}

TEST(Delivery, FlushesUntilTheDeadlineAndLeavesTheRestToTheSpool) {
  ManualClock clock;
  const LogCapture log;
  TestSpool spool(10, clock);
  const BootTime deadline = clock.boot_now() + seconds(3);
  Delivery* running = nullptr;
  FakeSink sink([&](const Batch&) {
    if (sink.sends == 1) running->request_stop(deadline);
    clock.advance(seconds(1));
    return verdict(Verdict::delivered);
  });
  Delivery delivery(spool.reader(), sink, clock, seeded());
  running = &delivery;
  spool.push(0, 100);
  delivery.run();
  EXPECT_EQ(sink.got, test_lines(0, 30));
  const ReaderCounts counts = delivery.status().lines;
  EXPECT_EQ(counts.delivered, 30u);
  EXPECT_EQ(counts.waiting, 70u);
  expect_conserved(counts);
  EXPECT_EQ(log.lines(),
            std::vector<std::string>{
                "warning virtmeter ends: 70 lines for nowhere are not delivered, there was no time left"});
}

TEST(Delivery, TriesAgainBrieflyWhileStopping) {
  ManualClock clock;
  TestSpool spool(5, clock);
  const BootTime start = clock.boot_now();
  Delivery* running = nullptr;
  FakeSink sink([&](const Batch&) {
    if (sink.sends == 1) running->request_stop(start + seconds(3));
    return verdict(Verdict::retry);
  });
  Delivery delivery(spool.reader(), sink, clock, seeded());
  running = &delivery;
  spool.push(0, 5);
  delivery.run();
  EXPECT_EQ(sink.sends, 12);  // Every 250 ms.
  EXPECT_EQ(clock.boot_now() - start, seconds(3));
  EXPECT_EQ(delivery.status().lines.waiting, 5u);
  expect_conserved(delivery.status().lines);
}

TEST(Delivery, DoesNotWaitForACredentialWhileStopping) {
  ManualClock clock;
  TestSpool spool(5, clock);
  const BootTime start = clock.boot_now();
  Delivery* running = nullptr;
  FakeSink sink([&](const Batch&) {
    running->request_stop(start + seconds(3));
    return verdict(Verdict::stop_and_say);
  });
  Delivery delivery(spool.reader(), sink, clock, seeded());
  running = &delivery;
  spool.push(0, 5);
  delivery.run();
  EXPECT_EQ(sink.sends, 1);
  EXPECT_EQ(clock.boot_now(), start);
  EXPECT_EQ(delivery.status().lines.waiting, 5u);
}

TEST(Delivery, CountsWhatTheServerDoesNotKeep) {
  const auto check = [](Loss loss, DropReason reason) {
    ManualClock clock;
    const LogCapture log;
    TestSpool spool(10, clock);
    FakeSink sink([&](const Batch&) {
      SendResult result = verdict(Verdict::delivered);
      result.loss = loss;
      result.lost_lines = 4;
      result.error = {Errc::limit, "refused some lines", "look"};
      return result;
    });
    Delivery delivery(spool.reader(), sink, clock, seeded());
    spool.push(0, 10);
    spool.close();
    delivery.run();
    EXPECT_EQ(sink.sends, 1);
    const ReaderCounts counts = delivery.status().lines;
    EXPECT_EQ(counts.delivered, 6u);
    EXPECT_EQ(counts.dropped[reason], 4u);
    EXPECT_EQ(log.lines(),
              std::vector<std::string>{"warning lines dropped: 4, because refused some lines; fix: look"});
  };
  check(Loss::rejected, DropReason::rejected);
  check(Loss::expired, DropReason::expired);
  check(Loss::limited, DropReason::refused);
}

TEST(Delivery, SendsTheLastLinesAgainAfterADatabaseWasRestarted) {
  ManualClock clock;
  const LogCapture log;
  TestSpool spool(10, clock);
  std::vector<std::string> sent;
  FakeSink sink([&](const Batch& batch) {
    sent.emplace_back(batch.bytes);
    if (sent.size() < 3) spool.push(10 * static_cast<int>(sent.size()), 10);
    if (sent.size() == 2) clock.advance(std::chrono::minutes(5));
    if (sent.size() == 3) clock.advance(std::chrono::hours(1));
    SendResult result = verdict(Verdict::delivered);
    result.replay = sent.size() == 3;
    if (result.replay) spool.close();
    return result;
  });
  Delivery delivery(spool.reader(), sink, clock, seeded());
  spool.push(0, 10);
  delivery.run();
  // The second batch was the last that the database took before it was gone for an hour; the first is old.
  std::string again;
  for (std::size_t i = 3; i < sent.size(); ++i) again += sent[i];
  EXPECT_EQ(again, test_lines(10, 10));
  const DeliveryStatus status = delivery.status();
  EXPECT_EQ(status.replays, 1u);
  EXPECT_EQ(status.lines.delivered, 30u);
  EXPECT_EQ(status.lines.resent, 10u);
  expect_conserved(status.lines);
  EXPECT_EQ(log.lines(), std::vector<std::string>{
                             "info nowhere was restarted: the 10 lines that it took last are sent again"});
}

TEST(Delivery, IsSeenToGetOnWhileItWaitsButNotWhileItHangs) {
  ManualClock clock;
  TestSpool spool(10, clock);
  Delivery* running = nullptr;
  BootTime during_send;
  const BootTime start = clock.boot_now();
  FakeSink sink([&](const Batch&) {
    if (sink.sends == 2) {
      clock.advance(seconds(100));
      during_send = running->last_progress();
      EXPECT_LT(during_send, clock.boot_now());
    }
    return verdict(sink.sends == 1 ? Verdict::stop_and_say : Verdict::delivered);
  });
  Delivery delivery(spool.reader(), sink, clock, seeded());
  running = &delivery;
  EXPECT_EQ(delivery.last_progress(), start);
  spool.push(0, 10);
  spool.close();
  delivery.run();
  EXPECT_EQ(during_send, start + seconds(60));
  clock.advance(seconds(5));
  EXPECT_EQ(delivery.last_progress(), clock.boot_now());
}

TEST(Delivery, ConservesLinesThroughRandomAnswers) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    ManualClock clock;
    TestSpool spool(7, clock);
    std::minstd_rand random(seed);
    int next = 0;
    FakeSink sink([&](const Batch& batch) {
      if (next < 500) spool.push(next, 9);
      next += 9;
      if (next >= 500) spool.close();
      expect_conserved(spool.counts());
      SendResult result = verdict(static_cast<Verdict>(random() % 6));
      result.lost_lines = random() % (batch.line_count + 1);
      result.loss = static_cast<Loss>(random() % 3);
      for (std::uint64_t i = 0; i < result.lost_lines; ++i) result.named.push_back({i, "bad"});
      return result;
    });
    spool.push(0, 1);
    Delivery delivery(spool.reader(), sink, clock, seeded());
    delivery.run();
    expect_conserved(delivery.status().lines);
    EXPECT_EQ(delivery.status().lines.waiting + delivery.status().lines.in_flight, 0u);
  }
}

}  // namespace
}  // namespace virtmeter
