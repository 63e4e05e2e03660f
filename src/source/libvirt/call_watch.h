// Deadlines for calls into libvirt, which has none: a call that waits for a hung QEMU or a stopped daemon
// waits for ever. Each call is noted for as long as it runs; run(), on a thread of its own, hangs up the
// connection of one that is past its deadline, and the call then fails within milliseconds. What the daemon
// was asked to do stays at work there. Thread-safe; a Call is for the thread that makes the call.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>

#include "base/clock.h"
#include "base/mutex.h"

namespace virtmeter {

class CallWatch {
  struct Running;

 public:
  // Breaks all sockets of a connection. Called with the watch's lock held, on the thread of run().
  using HangUp = std::function<void(std::uint64_t connection)>;

  // `clock` must outlive the watch.
  CallWatch(const Clock& clock, HangUp hang_up) : clock_(clock), hang_up_(std::move(hang_up)) {}

  // A call on `connection` that begins with this object, may take `limit`, and ends with it.
  class Call {
   public:
    Call(CallWatch& watch, std::uint64_t connection, std::chrono::nanoseconds limit);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    // Whether it was hung up. A connection that was is of no more use.
    bool cancelled() const;
    std::chrono::nanoseconds limit() const { return limit_; }

   private:
    CallWatch& watch_;
    const std::chrono::nanoseconds limit_;
    std::list<Running>::iterator running_;
  };

  // Until stop(). On a thread of its own.
  void run() EXCLUDES(mutex_);
  void stop() EXCLUDES(mutex_);

  // Calls that were hung up since start.
  std::uint64_t cancelled_calls() const EXCLUDES(mutex_);

 private:
  struct Running {
    std::uint64_t connection;
    BootTime
        due;  // When it is hung up; again, after kAgain, while it runs on: it may have had no socket yet.
    bool cancelled;
  };
  static constexpr std::chrono::milliseconds kAgain{250};

  void hang_up_overdue() REQUIRES(mutex_);

  const Clock& clock_;
  const HangUp hang_up_;
  mutable Mutex mutex_;
  Condition changed_;
  std::list<Running> running_ GUARDED_BY(mutex_);
  std::list<Running> spare_ GUARDED_BY(mutex_);  // Nodes for the next calls: as many as ran at once.
  // Until when run() waits; a call that is due sooner has to wake it.
  BootTime waits_until_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::uint64_t cancelled_calls_ GUARDED_BY(mutex_) = 0;
};

}  // namespace virtmeter
