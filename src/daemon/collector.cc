#include "daemon/collector.h"

#include "base/check.h"
#include "base/log.h"
#include "daemon/thread_name.h"
#include "sampler/beat.h"

namespace virtmeter {

Collector::Collector(Sampler& sampler, const Clock& clock, std::chrono::nanoseconds interval, Handler handler)
    : sampler_(sampler), clock_(clock), interval_(interval), handler_(std::move(handler)) {}

Collector::~Collector() {
  if (!thread_.joinable()) return;
  CHECK(stop(std::chrono::hours(24)));
  thread_.join();
}

void Collector::start() {
  CHECK(!thread_.joinable());
  {
    const MutexLock lock(mutex_);
    status_.running = true;
  }
  thread_ = std::thread([this] {
    name_this_thread("vm-collector");
    run();
  });
}

void Collector::run() {
  Beat beat(clock_.boot_now(), interval_);
  while (wait_for_beat(beat.next())) {
    const Sampler::Sampled sampled = sampler_.sample();
    handler_(sampled);
    const std::uint64_t missed_before = beat.missed();
    beat.finished(clock_.boot_now());
    if (beat.missed() != missed_before) {
      log_debug("a cycle took {:.0f} ms: {} beats left out", sampler_.stats().loop_latency_ms,
                beat.missed() - missed_before);
    }
    const MutexLock lock(mutex_);
    last_ = sampled.cycle;
    status_.missed_beats = beat.missed();
    status_.sampler = sampler_.stats();
  }
  const MutexLock lock(mutex_);
  status_.running = false;
  changed_.notify_all();
}

// False when the collection is to end.
bool Collector::wait_for_beat(BootTime beat) {
  const MutexLock lock(mutex_);
  while (!stopping_ && clock_.boot_now() < beat) clock_.wait_until(changed_, mutex_, beat);
  return !stopping_;
}

bool Collector::stop(std::chrono::nanoseconds patience) {
  const BootTime deadline = clock_.boot_now() + patience;
  const MutexLock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  while (status_.running && clock_.boot_now() < deadline) clock_.wait_until(changed_, mutex_, deadline);
  return !status_.running;
}

bool Collector::is_running() const {
  const MutexLock lock(mutex_);
  return status_.running;
}

std::shared_ptr<const Cycle> Collector::get_vms() const {
  const MutexLock lock(mutex_);
  return last_;
}

CollectorStatus Collector::get_status() const {
  const MutexLock lock(mutex_);
  return status_;
}

}  // namespace virtmeter
