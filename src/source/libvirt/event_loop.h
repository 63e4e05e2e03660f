// libvirt's event loop: events, keepalive and close callbacks of every connection run in it. It is one per
// process and cannot be taken back (libvirt's virEventRegisterImpl), and without someone who runs it
// the daemon drops its clients after half a minute.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/result.h"

namespace virtmeter {

class LibvirtEventLoop {
 public:
  // Before the first connection of the process. Repeats are harmless.
  static Status prepare();

  // EventRegistry::hang_up() of this process's registry. Thread-safe.
  static std::size_t hang_up(std::uint64_t connection);

  // Runs until stop(). On a thread of its own.
  void run();
  // From any thread.
  void stop();

 private:
  std::atomic<bool> stopping_ = false;
};

}  // namespace virtmeter
