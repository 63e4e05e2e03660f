#include "daemon/collector.h"

#include <gtest/gtest.h>

#include <atomic>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// One VM; read() counts, and can be made to hang until it is let go.
class StubSource final : public Source {
 public:
  Status read(std::vector<VmSample>& vms) override {
    const MutexLock lock(mutex_);
    ++reads_;
    changed_.notify_all();
    while (hanging_) changed_.wait(mutex_);
    VmSample vm;
    vm.layout = std::make_shared<VmLayout>();
    vms.assign(1, vm);
    return Status::ok();
  }
  std::string host_name() override { return ""; }
  SourceStatus status() const override { return {}; }

  void wait_for_reads(int count) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (reads_ < count) changed_.wait(mutex_);
  }
  void hang(bool on) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    hanging_ = on;
    changed_.notify_all();
  }

 private:
  Mutex mutex_;
  Condition changed_;
  int reads_ GUARDED_BY(mutex_) = 0;
  bool hanging_ GUARDED_BY(mutex_) = false;
};

TEST(Collector, TakesCyclesUntilItIsStopped) {
  const SystemClock clock;
  StubSource source;
  Sampler sampler(source, clock, {});
  std::atomic<int> handled = 0;
  Collector collector(sampler, clock, milliseconds(1), [&](const Sampler::Sampled&) { ++handled; });
  EXPECT_FALSE(collector.is_running());
  EXPECT_EQ(collector.get_vms(), nullptr);
  collector.start();
  EXPECT_TRUE(collector.is_running());
  source.wait_for_reads(3);
  EXPECT_TRUE(collector.stop(seconds(10)));
  EXPECT_FALSE(collector.is_running());
  EXPECT_GE(handled, 3);
  EXPECT_EQ(collector.get_vms()->vms.size(), 1u);
  EXPECT_EQ(collector.get_status().sampler.cycles, static_cast<std::uint64_t>(handled));
}

TEST(Collector, StopsAtOnceBetweenTwoBeats) {
  const SystemClock clock;
  StubSource source;
  Sampler sampler(source, clock, {});
  Collector collector(sampler, clock, std::chrono::hours(1), [](const Sampler::Sampled&) {});
  collector.start();
  source.wait_for_reads(1);
  EXPECT_TRUE(collector.stop(seconds(10)));
}

TEST(Collector, ChangesBetweenTwoCyclesAndGoesOnWithTheNewInterval) {
  const SystemClock clock;
  StubSource source;
  Sampler sampler(source, clock, {});
  std::atomic<int> handled = 0;
  std::atomic<int> handled_at_change = -1;
  Collector collector(sampler, clock, std::chrono::hours(1), [&](const Sampler::Sampled&) { ++handled; });
  collector.start();
  source.wait_for_reads(1);
  collector.change(milliseconds(1), [&] { handled_at_change = handled.load(); });
  source.wait_for_reads(4);
  EXPECT_TRUE(collector.stop(seconds(10)));
  EXPECT_EQ(handled_at_change, 1);
  EXPECT_EQ(collector.get_status().interval, milliseconds(1));
}

TEST(Collector, KeepsTheCountOfMissedBeatsOverAChange) {
  const SystemClock clock;
  StubSource source;
  source.hang(true);
  Sampler sampler(source, clock, {});
  Collector collector(sampler, clock, milliseconds(1), [](const Sampler::Sampled&) {});
  collector.start();
  source.wait_for_reads(1);
  const BootTime until = clock.boot_now() + milliseconds(20);
  while (clock.boot_now() < until) std::this_thread::yield();
  source.hang(false);
  source.wait_for_reads(2);
  const std::uint64_t missed = collector.get_status().missed_beats;
  EXPECT_GT(missed, 0u);
  collector.change(std::chrono::hours(1), [] {});
  source.wait_for_reads(3);
  EXPECT_TRUE(collector.stop(seconds(10)));
  EXPECT_GE(collector.get_status().missed_beats, missed);
}

TEST(Collector, SaysWhenItsLastCycleEnded) {
  const SystemClock clock;
  StubSource source;
  Sampler sampler(source, clock, {});
  Collector collector(sampler, clock, milliseconds(1), [](const Sampler::Sampled&) {});
  EXPECT_EQ(collector.get_status().last_cycle_ended, std::nullopt);
  const BootTime before = clock.boot_now();
  collector.start();
  source.wait_for_reads(2);
  EXPECT_TRUE(collector.stop(seconds(10)));
  EXPECT_GE(collector.get_status().started, before);
  EXPECT_GE(*collector.get_status().last_cycle_ended, collector.get_status().started);
}

TEST(Collector, SaysSoWhenACallDoesNotReturn) {
  const SystemClock clock;
  StubSource source;
  source.hang(true);
  Sampler sampler(source, clock, {});
  Collector collector(sampler, clock, seconds(1), [](const Sampler::Sampled&) {});
  collector.start();
  source.wait_for_reads(1);
  EXPECT_FALSE(collector.stop(milliseconds(1)));
  EXPECT_TRUE(collector.is_running());
  source.hang(false);
  EXPECT_TRUE(collector.stop(seconds(10)));
}

}  // namespace
}  // namespace virtmeter
