#include "source/libvirt/event_registry.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace virtmeter {
namespace {

constexpr int kWakeWatch = 0;  // Watches of libvirt count from 1.

// libvirt's functions carry no word of who connects; the thread that does says it here.
thread_local std::uint64_t connecting_number = 0;

std::uint32_t to_epoll(int events) {
  std::uint32_t wanted = 0;
  if ((events & VIR_EVENT_HANDLE_READABLE) != 0) wanted |= EPOLLIN;
  if ((events & VIR_EVENT_HANDLE_WRITABLE) != 0) wanted |= EPOLLOUT;
  return wanted;
}

int from_epoll(std::uint32_t happened) {
  int events = 0;
  if ((happened & EPOLLIN) != 0) events |= VIR_EVENT_HANDLE_READABLE;
  if ((happened & EPOLLOUT) != 0) events |= VIR_EVENT_HANDLE_WRITABLE;
  if ((happened & EPOLLERR) != 0) events |= VIR_EVENT_HANDLE_ERROR;
  if ((happened & EPOLLHUP) != 0) events |= VIR_EVENT_HANDLE_HANGUP;
  return events;
}

bool control(int epoll_fd, int operation, int fd, int watch, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = watch;
  return epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

}  // namespace

EventRegistry::~EventRegistry() {
  if (epoll_fd_ >= 0) close(epoll_fd_);
  if (wake_fd_ >= 0) close(wake_fd_);
}

Status EventRegistry::open() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_fd_ < 0 || wake_fd_ < 0 || !control(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, kWakeWatch, EPOLLIN)) {
    return Error{Errc::io, "libvirt's event loop: no file descriptor left",
                 "raise the limit of open files (LimitNOFILE)"};
  }
  return Status::ok();
}

void EventRegistry::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = write(wake_fd_, &one, sizeof one);
}

void EventRegistry::run_once() {
  std::array<epoll_event, 16> ready;
  const int count = epoll_wait(epoll_fd_, ready.data(), ready.size(), wait_ms());
  {
    const MutexLock lock(mutex_);
    waits_until_.reset();
  }
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready[static_cast<std::size_t>(i)];
    if (event.data.fd != kWakeWatch) {
      run_handle(event.data.fd, event.events);
    } else {
      std::uint64_t times = 0;
      [[maybe_unused]] const ssize_t got = read(wake_fd_, &times, sizeof times);
    }
  }
  run_due_timers();
  free_garbage();
}

int EventRegistry::wait_ms() {
  const MutexLock lock(mutex_);
  if (!garbage_.empty()) return 0;
  std::optional<BootTime> first;
  for (const auto& [id, timer] : timers_) {
    if (timer.period_ms >= 0 && (!first || timer.due < *first)) first = timer.due;
  }
  waits_until_ = first.value_or(BootTime{std::chrono::nanoseconds::max()});
  if (!first) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*first - clock_.boot_now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

void EventRegistry::run_handle(int watch, std::uint32_t happened) {
  Handle handle;
  {
    const MutexLock lock(mutex_);
    const auto found = handles_.find(watch);
    // It was removed or switched off between the wait and now.
    if (found == handles_.end() || found->second.events == 0) return;
    handle = found->second;
  }
  handle.callback(watch, handle.fd, from_epoll(happened), handle.opaque);
}

void EventRegistry::run_due_timers() {
  std::vector<std::pair<int, Timer>> due;
  {
    const MutexLock lock(mutex_);
    const BootTime now = clock_.boot_now();
    for (auto& [id, timer] : timers_) {
      if (timer.period_ms < 0 || timer.due > now) continue;
      timer.due = now + std::chrono::milliseconds(timer.period_ms);
      due.emplace_back(id, timer);
    }
  }
  for (const auto& [id, timer] : due) {
    // One callback may have removed the timer of the next.
    const bool still_wanted = [&, timer_id = id] {
      const MutexLock lock(mutex_);
      return timers_.contains(timer_id);
    }();
    if (still_wanted) timer.callback(id, timer.opaque);
  }
}

void EventRegistry::free_garbage() {
  std::vector<Garbage> garbage;
  {
    const MutexLock lock(mutex_);
    garbage.swap(garbage_);
  }
  for (const Garbage& item : garbage) item.free(item.opaque);
}

EventRegistry::Connecting::Connecting(std::uint64_t number) { connecting_number = number; }
EventRegistry::Connecting::~Connecting() { connecting_number = 0; }

std::size_t EventRegistry::hang_up(std::uint64_t number) {
  const MutexLock lock(mutex_);
  std::size_t sockets = 0;
  for (const auto& [watch, handle] : handles_) {
    if (handle.connection != number) continue;
    ++sockets;
    shutdown(handle.fd, SHUT_RDWR);
  }
  return sockets;
}

int EventRegistry::add_handle(int fd, int events, virEventHandleCallback callback, void* opaque,
                              virFreeCallback free) {
  const MutexLock lock(mutex_);
  const int watch = next_id_++;
  Handle& handle = handles_[watch];
  handle = {fd, connecting_number, 0, callback, opaque, free};
  if (watch_in_epoll(watch, handle, events)) return watch;
  handles_.erase(watch);
  return -1;
}

bool EventRegistry::watch_in_epoll(int watch, Handle& handle, int events) {
  bool good = true;
  if (handle.events == 0 && events != 0)
    good = control(epoll_fd_, EPOLL_CTL_ADD, handle.fd, watch, to_epoll(events));
  if (handle.events != 0 && events == 0) good = control(epoll_fd_, EPOLL_CTL_DEL, handle.fd, watch, 0);
  if (handle.events != 0 && events != 0)
    good = control(epoll_fd_, EPOLL_CTL_MOD, handle.fd, watch, to_epoll(events));
  if (good) handle.events = events;
  return good;
}

void EventRegistry::update_handle(int watch, int events) {
  const MutexLock lock(mutex_);
  const auto found = handles_.find(watch);
  if (found != handles_.end()) watch_in_epoll(watch, found->second, events);
}

int EventRegistry::remove_handle(int watch) {
  const MutexLock lock(mutex_);
  const auto found = handles_.find(watch);
  if (found == handles_.end()) return -1;
  watch_in_epoll(watch, found->second, 0);
  if (found->second.free != nullptr) garbage_.push_back({found->second.opaque, found->second.free});
  handles_.erase(found);
  wake();
  return 0;
}

int EventRegistry::add_timeout(int period_ms, virEventTimeoutCallback callback, void* opaque,
                               virFreeCallback free) {
  int id = 0;
  {
    const MutexLock lock(mutex_);
    id = next_id_++;
    timers_[id] = {-1, {}, callback, opaque, free};
  }
  update_timeout(id, period_ms);
  return id;
}

void EventRegistry::update_timeout(int timer, int period_ms) {
  const MutexLock lock(mutex_);
  const auto found = timers_.find(timer);
  if (found == timers_.end()) return;
  found->second.period_ms = period_ms;
  if (period_ms < 0) return;
  found->second.due = clock_.boot_now() + std::chrono::milliseconds(period_ms);
  // A later time needs no waking: the loop finds out when it comes round.
  if (waits_until_ && found->second.due < *waits_until_) wake();
}

int EventRegistry::remove_timeout(int timer) {
  const MutexLock lock(mutex_);
  const auto found = timers_.find(timer);
  if (found == timers_.end()) return -1;
  if (found->second.free != nullptr) garbage_.push_back({found->second.opaque, found->second.free});
  timers_.erase(found);
  wake();
  return 0;
}

}  // namespace virtmeter
