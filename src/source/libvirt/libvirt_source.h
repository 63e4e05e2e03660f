// The libvirt source: one read of every active VM through a Connector. Bulk statistics in chunks first;
// per-domain calls where bulk does not give a group; device lists from the cache; reconnection with back-off.
// Failure is local: a device's costs that device, a VM's that VM, and a VM whose QEMU does not answer costs
// what only its QEMU knows. read() on one thread; status() thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "source/libvirt/bulk_reader.h"
#include "source/libvirt/health_book.h"
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

class LibvirtSource final : public Source {
 public:
  // Checks the URI; connects at the first read().
  // `watch` must outlive the source, and be run by the time of the first read().
  static Result<std::unique_ptr<LibvirtSource>> open(const LibvirtSourceOptions& options, const Clock& clock,
                                                     CallWatch& watch);

  // `clock` must outlive the source.
  LibvirtSource(const LibvirtSourceOptions& options, std::unique_ptr<Connector> connector,
                const Clock& clock);

  Status read(std::vector<VmSample>& vms) override;
  std::string host_name() override;
  SourceStatus status() const override EXCLUDES(mutex_);

 private:
  Status ensure_connected();
  void note_disconnected(const Error& error);
  void apply_invalidations();

  void read_all(std::vector<VmReading>& readings);
  void read_chunk(BulkReader::Readings chunk);
  void prepare(VmReading& reading);
  void deliver(std::vector<VmReading>& readings, std::vector<VmSample>& vms);

  void warn_of_absences(const VmReading& reading);
  void warn_of_device(const VmSample& sample, const std::string& device, Absence absence);
  void publish_status() EXCLUDES(mutex_);

  LibvirtSourceOptions options_;
  std::unique_ptr<Connector> connector_;
  const Clock& clock_;
  LimitedLog warnings_;
  SourceStatus counts_;  // The reading thread's own.
  DeviceDirectory directory_;
  const ReadTools tools_;
  HangFinder finder_;
  SingleCalls singles_;
  BulkReader bulk_;
  HealthBook health_;
  bool was_connected_ = false;
  BootTime next_attempt_{};
  std::chrono::nanoseconds backoff_{0};

  mutable Mutex mutex_;
  SourceStatus published_ GUARDED_BY(mutex_);
};

}  // namespace virtmeter
