// One pass over the VMs of a libvirt connection: list them, find their devices, and ask of each what it
// wants. Bulk statistics in chunks first; per-domain calls where bulk does not give a group; device lists
// from the cache; reconnection with back-off. What a VM's reading wants is for the caller to say, between
// begin() and read(). All on one thread; status() thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "source/libvirt/bulk_reader.h"
#include "source/libvirt/libvirt_connector.h"
#include "source/source.h"

namespace virtmeter {

struct LibvirtSourceOptions {
  std::string uri = "qemu:///system";
  std::chrono::nanoseconds device_cache_ttl = std::chrono::seconds(300);
  std::chrono::nanoseconds poll_interval = std::chrono::seconds(5);  // The beat that a hung VM must not hold.
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);       // Longest wait for one call.
  std::size_t chunk_vms = 32;  // VMs per bulk request: bounds how far apart their readings are.
};

class LibvirtPass {
 public:
  // `clock` must outlive the pass.
  LibvirtPass(const LibvirtSourceOptions& options, std::unique_ptr<Connector> connector, const Clock& clock);

  // Connects where that is needed, takes the news, lists the VMs and finds their layouts. `storage` is lent
  // to the readings' samples and becomes as long as they are.
  Status begin(std::vector<VmSample>& storage);

  // One per VM, in the order of the domain ids.
  std::span<VmReading> readings() { return readings_; }

  // What is kept of the VM between cycles; null where nothing is.
  CachedVm* kept(const VmReading& reading) { return tools_.directory.kept(*reading.live); }

  // Asks what the readings want.
  void read();

  // Forgets the VMs that are no more, and says so when the connection was lost.
  void end();

  bool alive() { return connector_->alive(); }
  bool tells_of_balloons() const { return connector_->tells_of_balloons(); }
  std::string host_name() { return connector_->alive() ? connector_->host_name() : ""; }

  SourceStatus& counts() { return counts_; }
  LimitedLog& warnings() { return warnings_; }
  SourceStatus status() const EXCLUDES(mutex_);

 private:
  Status ensure_connected();
  void note_disconnected(const Error& error);
  void apply_invalidations();
  void find_layout(VmReading& reading);
  void read_whole(BulkReader::Readings same_groups);
  void read_chunk(BulkReader::Readings chunk);
  void publish_status() EXCLUDES(mutex_);

  const LibvirtSourceOptions options_;
  std::unique_ptr<Connector> connector_;
  const Clock& clock_;
  LimitedLog warnings_;
  SourceStatus counts_;  // The reading thread's own.
  DeviceDirectory directory_;
  const ReadTools tools_;
  HangFinder finder_;
  SingleCalls singles_;
  BulkReader bulk_;
  bool was_connected_ = false;
  BootTime next_attempt_{};
  std::chrono::nanoseconds backoff_{0};

  // Of the pass at hand; they keep their storage.
  std::vector<LiveVm> live_;
  std::vector<VmReading> readings_;
  std::vector<VmReading*> whole_;
  std::vector<VmReading*> hung_;

  mutable Mutex mutex_;
  SourceStatus published_ GUARDED_BY(mutex_);
};

}  // namespace virtmeter
