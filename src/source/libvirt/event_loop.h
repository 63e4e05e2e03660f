// libvirt's event loop: events, keepalive and close callbacks of every connection run in it. It is one per
// process and cannot be taken back (libvirt's virEventRegisterImpl), and without someone who runs it
// the daemon drops its clients after half a minute.
#pragma once

#include <atomic>

#include "base/result.h"

namespace virtmeter {

class LibvirtEventLoop {
 public:
  // Before the first connection of the process. Repeats are harmless.
  static Status prepare();

  // Runs until stop(). On a thread of its own.
  void run();
  // From any thread.
  void stop();

 private:
  std::atomic<bool> stopping_ = false;
};

}  // namespace virtmeter
