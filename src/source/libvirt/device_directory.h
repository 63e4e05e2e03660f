// Which devices each VM has: from the cache, else from the domain XML, and checked against every bulk record,
// which names the devices as they are now. Collector thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "source/libvirt/bulk_record.h"
#include "source/libvirt/connector.h"
#include "source/libvirt/device_cache.h"

namespace virtmeter {

class DeviceDirectory {
 public:
  // `connector`, `clock` and `log` must outlive the directory.
  DeviceDirectory(Connector& connector, const Clock& clock, LimitedLog& log, std::chrono::nanoseconds ttl)
      : connector_(connector), clock_(clock), log_(log), cache_(ttl) {}

  // The VM's layout. Without devices_known where the XML cannot be read and never could; null when the VM has
  // gone.
  std::shared_ptr<const VmLayout> find(const LiveVm& live);

  // What is known of it already; without devices_known where nothing is. Reads no XML: since libvirt 11.0
  // that waits for a VM whose QEMU does not answer.
  std::shared_ptr<const VmLayout> find_known(const LiveVm& live);

  // `layout` itself where the record names the same devices. Where it does not, what fresh XML says: this
  // finds hot-plug in the same cycle, without events. Null when the VM has gone.
  std::shared_ptr<const VmLayout> confirm(const LiveVm& live, std::shared_ptr<const VmLayout> layout,
                                          const BulkRecord& record);

  // What is kept of the VM, whatever its age; null where nothing is, or it is of another life.
  CachedVm* kept(const LiveVm& live) { return cache_.find_stale(live.uuid, live.domain_id); }

  void invalidate(const Connector::Invalidations& news);

  // Forgets the VMs that nobody has asked for since the last call.
  void drop_unused() { cache_.drop_unused(); }

  DeviceCache::Stats cache_stats() const { return cache_.stats(); }
  std::uint64_t xml_reads() const { return xml_reads_; }
  std::uint64_t xml_failures() const { return xml_failures_; }

 private:
  CachedVm* fetch(const LiveVm& live, bool& gone);

  Connector& connector_;
  const Clock& clock_;
  LimitedLog& log_;
  DeviceCache cache_;
  std::uint64_t xml_reads_ = 0;
  std::uint64_t xml_failures_ = 0;
};

}  // namespace virtmeter
