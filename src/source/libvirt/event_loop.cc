#include "source/libvirt/event_loop.h"

#include <libvirt/libvirt.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "source/libvirt/libvirt_error.h"

namespace virtmeter {
namespace {

// Wakes the loop: it waits in poll() until one of its handles has news.
struct Waker {
  int fd = -1;
  bool ready = false;
};

Waker& waker() {
  static Waker instance;
  return instance;
}

void drain(int, int fd, int, void*) {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(fd, &count, sizeof count);
}

}  // namespace

Status LibvirtEventLoop::prepare() {
  if (waker().ready) return Status::ok();
  silence_libvirt_errors();
  if (virInitialize() != 0 || virEventRegisterDefaultImpl() != 0)
    return last_call_error("prepare libvirt's event loop");
  waker().fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (waker().fd < 0) return Error{Errc::io, "eventfd: no file descriptor left", "raise LimitNOFILE"};
  if (virEventAddHandle(waker().fd, VIR_EVENT_HANDLE_READABLE, drain, nullptr, nullptr) < 0) {
    return last_call_error("prepare libvirt's event loop");
  }
  waker().ready = true;
  return Status::ok();
}

void LibvirtEventLoop::run() {
  while (!stopping_) {
    if (virEventRunDefaultImpl() != 0) return;
  }
}

void LibvirtEventLoop::stop() {
  stopping_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = write(waker().fd, &one, sizeof one);
}

}  // namespace virtmeter
