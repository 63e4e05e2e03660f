#include "sampler/sampler.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// One VM whose NIC receives 1,000 bytes each second of the boot clock.
class CountingSource final : public Source {
 public:
  explicit CountingSource(ManualClock& clock) : clock_(clock) {}

  Status read(std::vector<VmSample>& vms) override {
    clock_.advance(milliseconds(20));
    vms.clear();
    if (failing) return Error{Errc::unavailable, "not connected", ""};
    auto layout = std::make_shared<VmLayout>();
    layout->nics = {"vnet0"};
    VmSample vm;
    vm.layout = layout;
    set_read_at(vm, clock_.boot_now());
    vm.nics.resize(1);
    vm.values.set_integer(metric_id("vm_totals.state"), state);
    const auto bytes = std::chrono::duration_cast<milliseconds>(vm.read_at.since_boot).count();
    vm.nics[0].set_integer(metric_id("nic.rxbytes"), bytes);
    vms.assign(1, vm);
    return Status::ok();
  }
  std::string host_name() override { return "hv-03"; }
  SourceStatus status() const override { return {}; }

  bool failing = false;
  std::int64_t state = 1;

 private:
  ManualClock& clock_;
};

constexpr MetricId kRate = metric_id("vm_features.net_rxbytes_rate");

TEST(Sampler, StampsACycleOnceToTheMillisecond) {
  ManualClock clock;
  clock.step_wall(std::chrono::nanoseconds(123'456));
  CountingSource source(clock);
  Sampler sampler(source, clock, {});
  const auto sampled = sampler.sample();
  EXPECT_EQ(sampled.cycle->time.unix_ns, 1'700'000'000'000'000'000);
  EXPECT_EQ(sampled.cycle->number, 1u);
}

TEST(Sampler, TakesRatesFromTheBootClockWhenTheWallClockSteps) {
  for (const auto step : {hours(-1), hours(24)}) {
    ManualClock clock;
    CountingSource source(clock);
    Sampler sampler(source, clock, {});
    sampler.sample();
    clock.advance(seconds(5));
    clock.step_wall(step);
    const auto sampled = sampler.sample();
    EXPECT_DOUBLE_EQ(*sampled.cycle->vms[0].values.real(kRate), 1000.0);
  }
}

TEST(Sampler, TimesTheLoop) {
  ManualClock clock;
  CountingSource source(clock);
  Sampler sampler(source, clock, {});
  const auto sampled = sampler.sample();
  EXPECT_DOUBLE_EQ(*sampled.cycle->collector.real(metric_id("collector_latency.loop_latency_ms")), 20.0);
  EXPECT_DOUBLE_EQ(*sampled.cycle->collector.real(metric_id("collector_latency.feature_latency_ms")), 0.0);
}

TEST(Sampler, GivesACycleWithoutVmsWhenTheSourceFails) {
  ManualClock clock;
  CountingSource source(clock);
  source.failing = true;
  Sampler sampler(source, clock, {});
  const auto sampled = sampler.sample();
  EXPECT_FALSE(sampled.status);
  EXPECT_TRUE(sampled.cycle->vms.empty());
  EXPECT_EQ(sampler.stats().failed_cycles, 1u);
}

TEST(Sampler, CountsStatesItHasNoNameFor) {
  ManualClock clock;
  CountingSource source(clock);
  Sampler sampler(source, clock, {});
  sampler.sample();
  EXPECT_EQ(sampler.stats().unknown_states, 0u);
  source.state = 42;
  EXPECT_EQ(sampler.sample().cycle->vms.size(), 1u);
  EXPECT_EQ(sampler.stats().unknown_states, 1u);
}

TEST(Sampler, MakesNoRateOverACollectionGap) {
  ManualClock clock;
  CountingSource source(clock);
  Sampler sampler(source, clock, {});
  sampler.sample();
  clock.advance(seconds(60));
  EXPECT_FALSE(sampler.sample().cycle->vms[0].values.real(kRate));
  clock.advance(seconds(5));
  EXPECT_TRUE(sampler.sample().cycle->vms[0].values.real(kRate));
}

TEST(Sampler, AddsAHostTagOnlyWhenAsked) {
  ManualClock clock;
  CountingSource source(clock);
  EXPECT_EQ(Sampler(source, clock, {}).sample().cycle->host, "");
  EXPECT_EQ(Sampler(source, clock, {.host_tag = "rack-7"}).sample().cycle->host, "rack-7");
  EXPECT_EQ(Sampler(source, clock, {.host_tag = "auto"}).sample().cycle->host, "hv-03");
}

}  // namespace
}  // namespace virtmeter
