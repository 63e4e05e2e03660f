// The collector: the thread "vm-collector" that takes a cycle on every beat and hands it on. Its operations
// keep the names their users know: start, stop, is_running, get_vms, get_status. Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "sampler/sampler.h"

namespace virtmeter {

struct CollectorStatus {
  bool running = false;
  std::uint64_t missed_beats = 0;
  SamplerStats sampler;
};

class Collector {
 public:
  using Handler = std::function<void(const Sampler::Sampled&)>;

  // `sampler` and `clock` must outlive the collector, and nobody else may use `sampler` while it runs.
  // `handler` gets each cycle on the collector's thread.
  Collector(Sampler& sampler, const Clock& clock, std::chrono::nanoseconds interval, Handler handler);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // The first cycle starts at once. Once per object.
  void start();

  // Ends the collection after the cycle under way; waits for it at most `patience`. False: it is still under
  // way, held by a call that does not return, and the object must not be destroyed.
  bool stop(std::chrono::nanoseconds patience) EXCLUDES(mutex_);

  bool is_running() const EXCLUDES(mutex_);

  // The last finished cycle; null before the first.
  std::shared_ptr<const Cycle> get_vms() const EXCLUDES(mutex_);

  CollectorStatus get_status() const EXCLUDES(mutex_);

 private:
  void run() EXCLUDES(mutex_);
  bool wait_for_beat(BootTime beat) EXCLUDES(mutex_);

  Sampler& sampler_;
  const Clock& clock_;
  std::chrono::nanoseconds interval_;
  Handler handler_;
  std::thread thread_;

  mutable Mutex mutex_;
  Condition changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  CollectorStatus status_ GUARDED_BY(mutex_);
  std::shared_ptr<const Cycle> last_ GUARDED_BY(mutex_);
};

}  // namespace virtmeter
