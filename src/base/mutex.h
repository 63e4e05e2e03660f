// Mutex, MutexLock, Condition: std's, with the annotations clang's -Wthread-safety checks (it does not know
// libstdc++'s). Members they guard say GUARDED_BY(mutex_). Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define VM_ANNOTATION(x) __attribute__((x))
#else
#define VM_ANNOTATION(x)
#endif

#define CAPABILITY(x) VM_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY VM_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) VM_ANNOTATION(guarded_by(x))
#define REQUIRES(...) VM_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) VM_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) VM_ANNOTATION(release_capability(__VA_ARGS__))
#define EXCLUDES(...) VM_ANNOTATION(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS VM_ANNOTATION(no_thread_safety_analysis)

namespace virtmeter {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits with the mutex held; spurious wake-ups happen, so callers loop on their condition.
class Condition {
 public:
  void notify_all() { condition_.notify_all(); }

  void wait(Mutex& mutex) REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  void wait_for(Mutex& mutex, std::chrono::nanoseconds timeout) REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_for(lock, timeout);
    lock.release();
  }

 private:
  std::condition_variable condition_;
};

}  // namespace virtmeter
