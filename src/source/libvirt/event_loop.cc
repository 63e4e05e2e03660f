#include "source/libvirt/event_loop.h"

#include <libvirt/libvirt.h>

#include "source/libvirt/event_registry.h"
#include "source/libvirt/libvirt_error.h"

namespace virtmeter {
namespace {

// libvirt takes plain functions and keeps them until the process ends, so the registry lives as long.
EventRegistry& registry() {
  static auto* instance = new EventRegistry;
  return *instance;
}

int add_handle(int fd, int events, virEventHandleCallback callback, void* opaque, virFreeCallback free) {
  return registry().add_handle(fd, events, callback, opaque, free);
}
void update_handle(int watch, int events) { registry().update_handle(watch, events); }
int remove_handle(int watch) { return registry().remove_handle(watch); }
int add_timeout(int period_ms, virEventTimeoutCallback callback, void* opaque, virFreeCallback free) {
  return registry().add_timeout(period_ms, callback, opaque, free);
}
void update_timeout(int timer, int period_ms) { registry().update_timeout(timer, period_ms); }
int remove_timeout(int timer) { return registry().remove_timeout(timer); }

}  // namespace

Status LibvirtEventLoop::prepare() {
  static bool ready = false;
  if (ready) return Status::ok();
  silence_libvirt_errors();
  Status opened = registry().open();
  if (!opened) return opened;
  virEventRegisterImpl(add_handle, update_handle, remove_handle, add_timeout, update_timeout, remove_timeout);
  if (virInitialize() != 0) return last_call_error("initialize libvirt");
  ready = true;
  return Status::ok();
}

std::size_t LibvirtEventLoop::hang_up(std::uint64_t connection) { return registry().hang_up(connection); }

void LibvirtEventLoop::run() {
  while (!stopping_) registry().run_once();
}

void LibvirtEventLoop::stop() {
  stopping_ = true;
  registry().wake();
}

}  // namespace virtmeter
