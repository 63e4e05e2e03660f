#include "source/libvirt/event_inbox.h"

#include <algorithm>

namespace virtmeter {

void EventInbox::put(const Uuid& uuid) {
  const MutexLock lock(mutex_);
  ++waiting_.events;
  auto& uuids = waiting_.uuids;
  if (waiting_.every_vm || (!uuids.empty() && uuids.back() == uuid)) return;
  if (uuids.size() == kUuidsMax) {
    uuids.clear();
    waiting_.every_vm = true;
    return;
  }
  uuids.push_back(uuid);
}

void EventInbox::put_every_vm() {
  const MutexLock lock(mutex_);
  waiting_.every_vm = true;
}

Connector::Invalidations EventInbox::take() {
  const MutexLock lock(mutex_);
  return std::exchange(waiting_, {});
}

}  // namespace virtmeter
