// Connector over libvirt's client library: read-only connection, explicit statistics groups, no waiting for
// jobs (VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT). One thread calls it; events come in on libvirt's event
// thread. LibvirtEventLoop::prepare() must have been called before connect(). Collector thread only.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "source/libvirt/connector.h"
#include "source/libvirt/event_inbox.h"
#include "source/libvirt/uri.h"

namespace virtmeter {

class LibvirtConnector final : public Connector {
 public:
  LibvirtConnector(std::string uri_text, LibvirtUri uri);
  ~LibvirtConnector() override;

  Status connect() override;
  void disconnect() override;
  bool alive() override;
  Result<std::vector<LiveVm>> get_live_vms() override;
  Status get_bulk_stats(std::span<const LiveVm* const> vms, const RecordVisitor& visit) override;
  Result<DeviceList> get_devices_for_vm(const LiveVm& vm) override;
  Status get_info(const LiveVm& vm, VmValues& values) override;
  Status get_memory_stats(const LiveVm& vm, VmValues& values) override;
  Status get_cpu_stats(const LiveVm& vm, VmValues& values) override;
  Status get_interface_stats(const LiveVm& vm, const std::string& device, NicValues& values) override;
  Status get_block_stats(const LiveVm& vm, const std::string& device, DiskValues& values) override;
  Invalidations take_invalidations() override { return shared_->inbox.take(); }
  std::string version() override;
  std::string host_name() override;

 private:
  // What callbacks touch. libvirt keeps a reference until it has freed the callback, which may be after us.
  struct Shared {
    EventInbox inbox;
    std::atomic<bool> closed = false;
  };
  struct Callbacks;

  void register_events();
  void unregister_events();

  std::string uri_text_;
  LibvirtUri uri_;
  ConnectHandle connection_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::vector<int> callback_ids_;
};

}  // namespace virtmeter
