#include "source/libvirt/call_watch.h"

#include <algorithm>
#include <iterator>

namespace virtmeter {
namespace {

constexpr BootTime kNever{std::chrono::nanoseconds::max()};

}  // namespace

CallWatch::Call::Call(CallWatch& watch, std::uint64_t connection, std::chrono::nanoseconds limit)
    : watch_(watch), limit_(limit) {
  const BootTime due = watch.clock_.boot_now() + limit;
  const MutexLock lock(watch.mutex_);
  auto& running = watch.running_;
  if (watch.spare_.empty()) watch.spare_.emplace_back();
  running.splice(running.end(), watch.spare_, watch.spare_.begin());
  running_ = std::prev(running.end());
  *running_ = {connection, due, false};
  // A later one needs no waking: run() finds out when it comes round.
  if (due < watch.waits_until_) watch.changed_.notify_all();
}

CallWatch::Call::~Call() {
  const MutexLock lock(watch_.mutex_);
  watch_.spare_.splice(watch_.spare_.end(), watch_.running_, running_);
}

bool CallWatch::Call::cancelled() const {
  const MutexLock lock(watch_.mutex_);
  return running_->cancelled;
}

void CallWatch::run() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    hang_up_overdue();
    // While calls are made the next ones are near, and seldom due before this: they then need not wake us.
    waits_until_ = running_.empty() ? kNever : clock_.boot_now() + kAgain;
    for (const Running& call : running_) waits_until_ = std::min(waits_until_, call.due);
    if (waits_until_ == kNever) {
      changed_.wait(mutex_);
    } else {
      clock_.wait_until(changed_, mutex_, waits_until_);
    }
  }
}

void CallWatch::hang_up_overdue() {
  const BootTime now = clock_.boot_now();
  for (Running& call : running_) {
    if (call.due > now) continue;
    cancelled_calls_ += call.cancelled ? 0 : 1;
    call.cancelled = true;
    call.due = now + kAgain;
    hang_up_(call.connection);
  }
}

void CallWatch::stop() {
  const MutexLock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

std::uint64_t CallWatch::cancelled_calls() const {
  const MutexLock lock(mutex_);
  return cancelled_calls_;
}

}  // namespace virtmeter
