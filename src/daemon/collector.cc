#include "daemon/collector.h"

#include "base/check.h"
#include "base/log.h"
#include "daemon/thread_name.h"

namespace virtmeter {

Collector::Collector(Sampler& sampler, const Clock& clock, std::chrono::nanoseconds interval, Handler handler)
    : sampler_(sampler), clock_(clock), handler_(std::move(handler)) {
  const MutexLock lock(mutex_);
  status_.interval = interval;
}

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
    status_.started = clock_.boot_now();
  }
  thread_ = std::thread([this] {
    name_this_thread("vm-collector");
    run();
  });
}

void Collector::run() {
  Beat beat(clock_.boot_now(), get_status().interval);
  for (;;) {
    switch (wait_for(beat.next())) {
      case Woken::beat:
        take_cycle(beat);
        break;
      case Woken::change:
        beat = Beat(clock_.boot_now(), take_changes());
        break;
      case Woken::stop:
        const MutexLock lock(mutex_);
        status_.running = false;
        changed_.notify_all();
        return;
    }
  }
}

void Collector::take_cycle(Beat& beat) {
  const Sampler::Sampled sampled = sampler_.sample();
  handler_(sampled);
  const std::uint64_t missed_before = beat.missed();
  const BootTime ended = clock_.boot_now();
  beat.finished(ended);
  const std::uint64_t missed = beat.missed() - missed_before;
  if (missed > 0)
    log_debug("a cycle took {:.0f} ms: {} beats left out", sampler_.stats().loop_latency_ms, missed);
  const MutexLock lock(mutex_);
  last_ = sampled.cycle;
  status_.missed_beats += missed;
  status_.last_cycle_ended = ended;
  status_.sampler = sampler_.stats();
}

Collector::Woken Collector::wait_for(BootTime beat) {
  const MutexLock lock(mutex_);
  while (!stopping_ && changes_.empty() && clock_.boot_now() < beat)
    clock_.wait_until(changed_, mutex_, beat);
  if (stopping_) return Woken::stop;
  return changes_.empty() ? Woken::beat : Woken::change;
}

// Returns the interval from now on.
std::chrono::nanoseconds Collector::take_changes() {
  std::vector<std::function<void()>> changes;
  std::chrono::nanoseconds interval{};
  {
    const MutexLock lock(mutex_);
    changes.swap(changes_);
    interval = status_.interval;
  }
  for (const std::function<void()>& change : changes) change();
  return interval;
}

void Collector::change(std::chrono::nanoseconds interval, std::function<void()> change) {
  const MutexLock lock(mutex_);
  status_.interval = interval;
  changes_.push_back(std::move(change));
  changed_.notify_all();
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
