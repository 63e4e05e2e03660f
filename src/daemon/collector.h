// The collector: the thread "vm-collector" that takes a cycle on every beat and hands it on. Its operations
// keep the names their users know: start, stop, is_running, get_vms, get_status. Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "sampler/beat.h"
#include "sampler/sampler.h"

namespace virtmeter {

struct CollectorStatus {
  bool running = false;
  std::chrono::nanoseconds interval{0};
  BootTime started;
  std::optional<BootTime> last_cycle_ended;
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

  // Between two cycles, on the collector's thread: runs `change` and goes on with the new interval, whose
  // first cycle starts at once. Returns without waiting; a second call before that runs both changes.
  void change(std::chrono::nanoseconds interval, std::function<void()> change) EXCLUDES(mutex_);

  // Ends the collection after the cycle under way; waits for it at most `patience`. False: it is still under
  // way, held by a call that does not return, and the object must not be destroyed.
  bool stop(std::chrono::nanoseconds patience) EXCLUDES(mutex_);

  bool is_running() const EXCLUDES(mutex_);

  // The last finished cycle; null before the first.
  std::shared_ptr<const Cycle> get_vms() const EXCLUDES(mutex_);

  CollectorStatus get_status() const EXCLUDES(mutex_);

 private:
  void run() EXCLUDES(mutex_);
  enum class Woken : std::uint8_t { beat, change, stop };
  Woken wait_for(BootTime beat) EXCLUDES(mutex_);
  std::chrono::nanoseconds take_changes() EXCLUDES(mutex_);
  void take_cycle(Beat& beat) EXCLUDES(mutex_);

  Sampler& sampler_;
  const Clock& clock_;
  Handler handler_;
  std::thread thread_;

  mutable Mutex mutex_;
  Condition changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::function<void()>> changes_ GUARDED_BY(mutex_);
  CollectorStatus status_ GUARDED_BY(mutex_);
  std::shared_ptr<const Cycle> last_ GUARDED_BY(mutex_);
};

}  // namespace virtmeter
