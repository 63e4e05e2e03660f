// Connector over libvirt's client library: read-only, explicit statistics groups, no waiting for jobs
// (VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT), every call within a limit. Two connections: "statistics" reads,
// and may be hung up when a QEMU does not answer; "control" hears the events, reads domain XML and asks which
// QEMU it is, and so loses no event over it. LibvirtEventLoop::prepare() must have been called before
// connect(). Collector thread only; events come in on libvirt's event thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "source/libvirt/connector.h"
#include "source/libvirt/event_subscription.h"
#include "source/libvirt/libvirt_connection.h"
#include "source/libvirt/uri.h"

namespace virtmeter {

struct CallLimits {
  std::chrono::nanoseconds host =
      std::chrono::seconds(10);  // To connect, to list the VMs, to ask about the host.
  std::chrono::nanoseconds vm = std::chrono::seconds(10);  // For a call about one VM.
};

class LibvirtConnector final : public Connector {
 public:
  // `watch` must outlive the connector.
  LibvirtConnector(const std::string& uri_text, const LibvirtUri& uri, CallWatch& watch, CallLimits limits);
  ~LibvirtConnector() override;

  Status connect() override;
  void disconnect() override;
  bool alive() override;
  Status renew(std::span<LiveVm> vms) override;
  Status get_live_vms(std::vector<LiveVm>& vms) override;
  Status get_bulk_stats(const BulkRequest& request, const RecordVisitor& visit) override;
  Result<ControlState> get_control_state(const LiveVm& vm) override;
  Result<DeviceList> get_devices_for_vm(const LiveVm& vm) override;
  Status get_info(const LiveVm& vm, VmValues& values) override;
  Status get_memory_stats(const LiveVm& vm, VmValues& values) override;
  Status get_cpu_stats(const LiveVm& vm, VmValues& values) override;
  Status get_interface_stats(const LiveVm& vm, const std::string& device, NicValues& values) override;
  Status get_block_stats(const LiveVm& vm, const std::string& device, DiskValues& values) override;
  Invalidations take_invalidations() override { return events_.inbox().take(); }
  bool tells_of_balloons() const override { return events_.tells_of_balloons(); }
  std::uint64_t cancelled_calls() const override;
  std::string version() override;
  std::string host_name() override;

 private:
  LibvirtConnection& statistics() { return own_statistics_ ? *own_statistics_ : control_; }
  Status open_control();
  void close_control();
  Status list_with_states(std::vector<LiveVm>& vms);
  Status list_domains(std::vector<LiveVm>& vms);
  template <typename Call>
  Status ask(const LiveVm& vm, std::string_view what, Call call);
  Result<DomainHandle> control_handle(const LiveVm& vm);

  const CallLimits limits_;
  LibvirtConnection control_;
  // Null for a driver inside this process: it has no socket to hang up, and a second connection may be
  // another world.
  std::unique_ptr<LibvirtConnection> own_statistics_;
  EventSubscription events_;
  bool lists_with_states_ = true;     // Until this connection's driver says that it cannot.
  std::vector<virDomainPtr> wanted_;  // Of the request at hand; keeps its storage.
};

}  // namespace virtmeter
