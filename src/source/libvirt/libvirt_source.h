// The libvirt source: one read of every active VM through a Connector. Bulk statistics in chunks first;
// per-domain calls where bulk does not give a group; device lists from the cache; reconnection with back-off.
// Failure is local: a device's costs that device, a VM's that VM. read() on one thread; status() thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "source/libvirt/bulk_record.h"
#include "source/libvirt/connector.h"
#include "source/libvirt/device_directory.h"
#include "source/source.h"

namespace virtmeter {

struct LibvirtSourceOptions {
  std::string uri = "qemu:///system";
  std::chrono::nanoseconds device_cache_ttl = std::chrono::seconds(300);
  std::size_t chunk_vms = 32;  // VMs per bulk request: bounds how far apart their readings are.
};

class LibvirtSource final : public Source {
 public:
  // Checks the URI; connects at the first read().
  static Result<std::unique_ptr<LibvirtSource>> open(const LibvirtSourceOptions& options, const Clock& clock);

  // `clock` must outlive the source.
  LibvirtSource(const LibvirtSourceOptions& options, std::unique_ptr<Connector> connector,
                const Clock& clock);

  Status read(std::vector<VmSample>& vms) override;
  std::string host_name() override;
  SourceStatus status() const override EXCLUDES(mutex_);

 private:
  // One VM on its way through a read.
  struct Work {
    const LiveVm* live = nullptr;
    VmSample sample;
    RecordGroups groups;
    bool has_record = false;
    bool vanished = false;
  };

  Status ensure_connected();
  void note_disconnected(const Error& error);
  void apply_invalidations();

  void prepare(Work& work);
  void give_layout(Work& work, std::shared_ptr<const VmLayout> layout);

  void read_chunk(std::span<Work> chunk);
  void read_bulk(std::span<Work> chunk);
  void ask_busy_vms_again(std::span<Work> works);
  void survive_bulk_failure(std::span<Work> chunk, const Error& error);
  void take_record(Work& work, std::span<const virTypedParameter> params);

  void fill_missing_groups(Work& work);
  void fill_vm_groups(Work& work);
  void fill_devices(Work& work);
  template <typename Call>
  void fall_back(Work& work, std::string_view call_name, Call call);
  template <Scope S, typename Call>
  void fall_back_device(Work& work, const std::string& device, Values<S>& values, Call call);

  void warn_of_absences(const Work& work);
  void warn_of_device(const VmSample& sample, const std::string& device, Absence absence);
  void deliver(std::vector<Work>& works, std::vector<VmSample>& vms);
  bool is_unsupported(std::string_view call_name) const;
  void publish_status() EXCLUDES(mutex_);

  LibvirtSourceOptions options_;
  std::unique_ptr<Connector> connector_;
  const Clock& clock_;
  LimitedLog warnings_;
  DeviceDirectory directory_;
  std::vector<std::string> unsupported_calls_;  // Of this connection: not to be asked again.
  bool was_connected_ = false;
  BootTime next_attempt_{};
  std::chrono::nanoseconds backoff_{0};
  SourceStatus counts_;  // The reading thread's own.

  mutable Mutex mutex_;
  SourceStatus published_ GUARDED_BY(mutex_);
};

}  // namespace virtmeter
