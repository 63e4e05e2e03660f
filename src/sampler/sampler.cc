#include "sampler/sampler.h"

namespace virtmeter {
namespace {

// A longer gap between two readings of a VM is not bridged by one average.
constexpr int kGapIntervalsMax = 3;

double milliseconds_between(BootTime from, BootTime to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace

Sampler::Sampler(Source& source, const Clock& clock, const SamplerOptions& options)
    : source_(source), clock_(clock), options_(options), deriver_(kGapIntervalsMax * options.interval) {}

Sampler::Sampled Sampler::sample() {
  std::shared_ptr<Cycle> cycle = pool_.take();
  cycle->number = ++stats_.cycles;
  cycle->time = rounded_to_millisecond(clock_.wall_now());
  const BootTime started = clock_.boot_now();
  Status status = source_.read(cycle->vms);
  cycle->host = host_tag();

  const BootTime read = clock_.boot_now();
  for (std::size_t i = 0; i < cycle->vms.size(); ++i) {
    if (i + 2 < cycle->vms.size()) prefetch(cycle->vms[i + 2]);
    VmSample& vm = cycle->vms[i];
    complete(vm);
    count_absences(vm, stats_.absences);
    const auto state = vm.values.integer(metric_id("vm_totals.state"));
    stats_.unknown_states += state && !is_known_state(*state) ? 1 : 0;
    // With the others, while the VM's values are in the processor's cache.
    deriver_.derive(vm);
  }
  const BootTime derived = clock_.boot_now();
  cycle->collector.set_real(metric_id("collector_latency.loop_latency_ms"),
                            milliseconds_between(started, derived));
  cycle->collector.set_real(metric_id("collector_latency.feature_latency_ms"),
                            milliseconds_between(read, derived));

  stats_.failed_cycles += status ? 0 : 1;
  stats_.vms = cycle->vms.size();
  stats_.loop_latency_ms = milliseconds_between(started, derived);
  deriver_.remember(cycle, derived);
  return {std::move(cycle), std::move(status)};
}

void Sampler::set_options(const SamplerOptions& options) {
  options_ = options;
  deriver_.set_gap_max(kGapIntervalsMax * options.interval);
}

const std::string& Sampler::host_tag() {
  if (options_.host_tag != "auto") return options_.host_tag;
  // Kept over a lost connection: the tag is part of the series' identity.
  if (host_name_.empty()) host_name_ = source_.host_name();
  return host_name_;
}

}  // namespace virtmeter
