#include "daemon/sink_switch.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace virtmeter {
namespace {

// What a sink under test does is written down here, for it may be gone by the time it is looked at.
struct Seen {
  std::vector<std::string> sent;
  bool cancelled = false;
};

class StubSink final : public Sink {
 public:
  StubSink(std::string name, Seen& seen, Verdict verdict) : name_(std::move(name)), seen_(seen) {
    result_.verdict = verdict;
    result_.cost = {1, 10, 5};
  }
  // The send() waits until it is cancelled.
  void hang_until_cancelled() { hanging_ = true; }
  void wait_until_hanging() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (!in_send_) changed_.wait(mutex_);
  }

  std::string_view name() const override { return name_; }
  std::string target() const override { return "to " + name_; }
  SendResult send(const Batch& batch) override {
    const MutexLock lock(mutex_);
    seen_.sent.emplace_back(batch.bytes);
    in_send_ = true;
    changed_.notify_all();
    while (hanging_ && !seen_.cancelled) changed_.wait(mutex_);
    return result_;
  }
  Status check() override { return Error{Errc::io, name_, ""}; }
  void cancel() override {
    const MutexLock lock(mutex_);
    seen_.cancelled = true;
    changed_.notify_all();
  }

 private:
  std::string name_;
  Seen& seen_;
  SendResult result_;
  bool hanging_ = false;
  Mutex mutex_;
  Condition changed_;
  bool in_send_ GUARDED_BY(mutex_) = false;
};

const Batch kBatch{"a v=1\n", 1, 0};

TEST(SinkSwitch, IsTheSinkItHolds) {
  Seen seen;
  SinkSwitch sink(std::make_unique<StubSink>("old", seen, Verdict::retry));
  EXPECT_EQ(sink.name(), "old");
  EXPECT_EQ(sink.target(), "to old");
  EXPECT_EQ(sink.check().error().message, "old");
  EXPECT_EQ(sink.send(kBatch).verdict, Verdict::retry);
  EXPECT_EQ(seen.sent, std::vector<std::string>{"a v=1\n"});
}

TEST(SinkSwitch, SendsToTheNewSinkAfterwards) {
  Seen old_seen;
  Seen new_seen;
  SinkSwitch sink(std::make_unique<StubSink>("old", old_seen, Verdict::delivered));
  sink.replace(std::make_unique<StubSink>("new", new_seen, Verdict::delivered));
  EXPECT_EQ(sink.target(), "to new");
  EXPECT_EQ(sink.send(kBatch).verdict, Verdict::delivered);
  EXPECT_TRUE(old_seen.sent.empty());
  EXPECT_EQ(new_seen.sent.size(), 1u);
  EXPECT_EQ(sink.check().error().message, "new");
}

TEST(SinkSwitch, RepeatsASendUnderWayAtTheNewSink) {
  Seen old_seen;
  Seen new_seen;
  auto old_sink = std::make_unique<StubSink>("old", old_seen, Verdict::retry);
  StubSink& hanging = *old_sink;
  hanging.hang_until_cancelled();
  SinkSwitch sink(std::move(old_sink));
  SendResult result;
  std::thread delivery([&] { result = sink.send(kBatch); });
  hanging.wait_until_hanging();
  sink.replace(std::make_unique<StubSink>("new", new_seen, Verdict::delivered));
  delivery.join();
  EXPECT_EQ(result.verdict, Verdict::delivered);
  EXPECT_EQ(result.cost.requests, 2u);
  EXPECT_EQ(old_seen.sent, new_seen.sent);
}

TEST(SinkSwitch, SendsNothingTwiceThatWasDelivered) {
  Seen old_seen;
  Seen new_seen;
  auto old_sink = std::make_unique<StubSink>("old", old_seen, Verdict::delivered);
  StubSink& hanging = *old_sink;
  hanging.hang_until_cancelled();
  SinkSwitch sink(std::move(old_sink));
  std::thread delivery([&] { EXPECT_EQ(sink.send(kBatch).verdict, Verdict::delivered); });
  hanging.wait_until_hanging();
  sink.replace(std::make_unique<StubSink>("new", new_seen, Verdict::delivered));
  delivery.join();
  EXPECT_TRUE(new_seen.sent.empty());
}

TEST(SinkSwitch, CancelsTheSinkThatComesAfterACancel) {
  Seen old_seen;
  Seen new_seen;
  SinkSwitch sink(std::make_unique<StubSink>("old", old_seen, Verdict::retry));
  sink.cancel();
  EXPECT_TRUE(old_seen.cancelled);
  sink.replace(std::make_unique<StubSink>("new", new_seen, Verdict::retry));
  EXPECT_TRUE(new_seen.cancelled);
}

TEST(SinkSwitch, ForgetsASinkThatIsReplacedBeforeItsTurn) {
  Seen seen[3];
  SinkSwitch sink(std::make_unique<StubSink>("a", seen[0], Verdict::delivered));
  sink.replace(std::make_unique<StubSink>("b", seen[1], Verdict::delivered));
  sink.replace(std::make_unique<StubSink>("c", seen[2], Verdict::delivered));
  EXPECT_EQ(sink.send(kBatch).verdict, Verdict::delivered);
  EXPECT_TRUE(seen[0].sent.empty() && seen[1].sent.empty());
  EXPECT_EQ(seen[2].sent.size(), 1u);
}

}  // namespace
}  // namespace virtmeter
