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
    vms.push_back(vm);
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
