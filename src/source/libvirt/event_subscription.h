// The events of one connection that virtmeter wants to hear, and what each puts into the inbox. Each event is
// an accelerator: without it, the record's own device names and the TTL tell, only later. Collector thread
// only; the callbacks run on libvirt's event thread.
#pragma once

#include <libvirt/libvirt.h>

#include <memory>
#include <vector>

#include "source/libvirt/event_inbox.h"

namespace virtmeter {

class EventSubscription {
 public:
  // Replaces what was subscribed to on another connection, which need not be told: it is gone.
  void subscribe(virConnectPtr connection);
  void unsubscribe(virConnectPtr connection);

  EventInbox& inbox() { return *inbox_; }

  // Whether a change of a VM's memory is told.
  bool tells_of_balloons() const { return tells_of_balloons_; }

 private:
  struct Callbacks;

  // Shared with the callbacks: libvirt keeps their references until it has freed them, which may be after us.
  std::shared_ptr<EventInbox> inbox_ = std::make_shared<EventInbox>();
  std::vector<int> ids_;
  bool tells_of_balloons_ = false;
};

}  // namespace virtmeter
