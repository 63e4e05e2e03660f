// libvirt's reference-counted objects as values that free themselves, and who a domain is. Not thread-safe
// each; libvirt is.
#pragma once

#include <libvirt/libvirt.h>

#include <memory>

#include "model/cycle.h"

namespace virtmeter {

struct ConnectClose {
  void operator()(virConnectPtr connection) const { virConnectClose(connection); }
};
using ConnectHandle = std::unique_ptr<virConnect, ConnectClose>;

struct DomainFree {
  void operator()(virDomainPtr domain) const { virDomainFree(domain); }
};
using DomainHandle = std::unique_ptr<virDomain, DomainFree>;

inline Uuid uuid_of(virDomainPtr domain) {
  Uuid uuid;
  if (virDomainGetUUID(domain, uuid.bytes.data()) != 0) uuid = {};
  return uuid;
}

}  // namespace virtmeter
