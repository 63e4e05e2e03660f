// libvirt's reference-counted objects as values that free themselves. Not thread-safe each; libvirt is.
#pragma once

#include <libvirt/libvirt.h>

#include <memory>

namespace virtmeter {

struct ConnectClose {
  void operator()(virConnectPtr connection) const { virConnectClose(connection); }
};
using ConnectHandle = std::unique_ptr<virConnect, ConnectClose>;

struct DomainFree {
  void operator()(virDomainPtr domain) const { virDomainFree(domain); }
};
using DomainHandle = std::unique_ptr<virDomain, DomainFree>;

}  // namespace virtmeter
