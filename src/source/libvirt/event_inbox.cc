#include "source/libvirt/event_inbox.h"

#include <algorithm>

namespace virtmeter {

void EventInbox::put(const Uuid& uuid) {
  const MutexLock lock(mutex_);
  add(waiting_.uuids, uuid);
}

void EventInbox::put_balloon(const Uuid& uuid) {
  const MutexLock lock(mutex_);
  add(waiting_.balloons, uuid);
}

void EventInbox::add(std::vector<Uuid>& uuids, const Uuid& uuid) {
  ++waiting_.events;
  if (waiting_.every_vm || (!uuids.empty() && uuids.back() == uuid)) return;
  if (uuids.size() == kUuidsMax) {
    waiting_.uuids.clear();
    waiting_.balloons.clear();
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
