// The thread "vm-events": runs libvirt's event loop for as long as this object lives. One per process, and
// before the first connection.
#pragma once

#include <thread>

#include "base/result.h"
#include "source/libvirt/event_loop.h"

namespace virtmeter {

class EventThread {
 public:
  EventThread() = default;
  ~EventThread();
  EventThread(const EventThread&) = delete;
  EventThread& operator=(const EventThread&) = delete;

  Status start();

 private:
  LibvirtEventLoop loop_;
  std::thread thread_;
};

}  // namespace virtmeter
