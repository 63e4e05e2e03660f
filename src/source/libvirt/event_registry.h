// What libvirt wants to be woken for: file handles and timers, behind the six functions of
// virEventRegisterImpl. Over epoll, because libvirt switches its socket's handle off and on around every
// call: here that is a system call and wakes nobody, where the default implementation wakes its thread each
// time (a third of virtmeter's CPU).
//
// Callbacks run in run_once()'s thread and in no other, without our lock; opaque data is freed there, too,
// and never while one of its callbacks may run. Thread-safe but for run_once(), which is for one thread.
//
// It also knows the sockets of each connection, for libvirt adds them here while it connects: hang_up() ends
// every call that waits on one of them.
#pragma once

#include <libvirt/libvirt.h>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace virtmeter {

class EventRegistry {
 public:
  EventRegistry() = default;
  ~EventRegistry();
  EventRegistry(const EventRegistry&) = delete;
  EventRegistry& operator=(const EventRegistry&) = delete;

  Status open();

  // Waits for the next handle or timer that is due, or for wake(), and runs the callbacks.
  void run_once() EXCLUDES(mutex_);
  void wake();

  // While it lives, the handles that its thread adds belong to connection `number`. Not nested.
  class Connecting {
   public:
    explicit Connecting(std::uint64_t number);
    ~Connecting();
    Connecting(const Connecting&) = delete;
    Connecting& operator=(const Connecting&) = delete;
  };

  // Shuts the sockets of connection `number` down, both ways; returns how many it has. A call that waits on
  // one then fails at once. libvirt removes a handle before it closes the file, and needs the lock that is
  // held here for that, so the number of a file that is another's by now is never used.
  std::size_t hang_up(std::uint64_t number) EXCLUDES(mutex_);

  // As virEventAddHandleFunc and its sisters: the number of the watch or timer, -1 where it fails.
  int add_handle(int fd, int events, virEventHandleCallback callback, void* opaque, virFreeCallback free)
      EXCLUDES(mutex_);
  void update_handle(int watch, int events) EXCLUDES(mutex_);
  int remove_handle(int watch) EXCLUDES(mutex_);
  int add_timeout(int period_ms, virEventTimeoutCallback callback, void* opaque, virFreeCallback free)
      EXCLUDES(mutex_);
  void update_timeout(int timer, int period_ms) EXCLUDES(mutex_);
  int remove_timeout(int timer) EXCLUDES(mutex_);

 private:
  struct Handle {
    int fd = -1;
    std::uint64_t connection = 0;  // 0: of none.
    int events = 0;  // 0: switched off, and then not in epoll, which would report a hang-up all the same.
    virEventHandleCallback callback = nullptr;
    void* opaque = nullptr;
    virFreeCallback free = nullptr;
  };
  struct Timer {
    int period_ms = -1;  // -1: switched off.
    BootTime due;
    virEventTimeoutCallback callback = nullptr;
    void* opaque = nullptr;
    virFreeCallback free = nullptr;
  };
  struct Garbage {
    void* opaque;
    virFreeCallback free;
  };

  bool watch_in_epoll(int watch, Handle& handle, int events) REQUIRES(mutex_);
  int wait_ms() EXCLUDES(mutex_);
  void run_handle(int watch, std::uint32_t happened) EXCLUDES(mutex_);
  void run_due_timers() EXCLUDES(mutex_);
  void free_garbage() EXCLUDES(mutex_);

  const SystemClock clock_{};
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  Mutex mutex_;
  int next_id_ GUARDED_BY(mutex_) = 1;
  std::map<int, Handle> handles_ GUARDED_BY(mutex_);
  std::map<int, Timer> timers_ GUARDED_BY(mutex_);
  std::vector<Garbage> garbage_ GUARDED_BY(mutex_);
  // What run_once() waits for: a timer that is due sooner has to wake it.
  std::optional<BootTime> waits_until_ GUARDED_BY(mutex_);
};

}  // namespace virtmeter
