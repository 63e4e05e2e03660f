#include "source/libvirt/event_subscription.h"

#include <array>

#include "source/libvirt/handles.h"

namespace virtmeter {

struct EventSubscription::Callbacks {
  using Holder = std::shared_ptr<EventInbox>;

  static EventInbox& inbox(void* opaque) { return **static_cast<Holder*>(opaque); }
  static void free_holder(void* opaque) { delete static_cast<Holder*>(opaque); }

  static int lifecycle(virConnectPtr, virDomainPtr domain, int event, int, void* opaque) {
    // Paused and resumed VMs keep their devices; the others may have become another machine.
    if (event != VIR_DOMAIN_EVENT_SUSPENDED && event != VIR_DOMAIN_EVENT_RESUMED) {
      inbox(opaque).put(uuid_of(domain));
    }
    return 0;
  }
  static void device(virConnectPtr, virDomainPtr domain, const char*, void* opaque) {
    inbox(opaque).put(uuid_of(domain));
  }
  static void balloon(virConnectPtr, virDomainPtr domain, unsigned long long, void* opaque) {
    inbox(opaque).put_balloon(uuid_of(domain));
  }
  static void memory_device(virConnectPtr, virDomainPtr domain, const char*, unsigned long long,
                            void* opaque) {
    inbox(opaque).put_balloon(uuid_of(domain));
  }
};

void EventSubscription::subscribe(virConnectPtr connection) {
  ids_.clear();
  tells_of_balloons_ = false;
  struct Wanted {
    int id;
    virConnectDomainEventGenericCallback callback;
  };
  const auto wanted = std::to_array<Wanted>({
    {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(Callbacks::lifecycle)},
        {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(Callbacks::device)},
        {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(Callbacks::device)},
        {VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(Callbacks::balloon)},
#if LIBVIR_CHECK_VERSION(7, 9, 0)
        {VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(Callbacks::memory_device)},
#endif
  });
  for (const Wanted& event : wanted) {
    auto* holder = new Callbacks::Holder(inbox_);
    const int id = virConnectDomainEventRegisterAny(connection, nullptr, event.id, event.callback, holder,
                                                    Callbacks::free_holder);
    if (id < 0) {
      delete holder;
    } else {
      ids_.push_back(id);
      tells_of_balloons_ = tells_of_balloons_ || event.id == VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE;
    }
  }
}

void EventSubscription::unsubscribe(virConnectPtr connection) {
  for (const int id : ids_) virConnectDomainEventDeregisterAny(connection, id);
  ids_.clear();
  tells_of_balloons_ = false;
}

}  // namespace virtmeter
