// What libvirt's events have said since the collector last looked: whose device lists are stale, and whose
// memory was changed. Callbacks put in, the collector takes out. Bounded: past the bound it only remembers
// "every VM". Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "source/libvirt/connector.h"

namespace virtmeter {

class EventInbox {
 public:
  static constexpr std::size_t kUuidsMax = 4096;

  void put(const Uuid& uuid) EXCLUDES(mutex_);
  void put_balloon(const Uuid& uuid) EXCLUDES(mutex_);
  void put_every_vm() EXCLUDES(mutex_);
  Connector::Invalidations take() EXCLUDES(mutex_);

 private:
  void add(std::vector<Uuid>& uuids, const Uuid& uuid) REQUIRES(mutex_);

  Mutex mutex_;
  Connector::Invalidations waiting_ GUARDED_BY(mutex_);
};

}  // namespace virtmeter
