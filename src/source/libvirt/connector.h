// The operations virtmeter asks of a hypervisor, under the names their users know. The interface is the seam
// at which tests make single calls fail; LibvirtConnector (libvirt_connector.h) is the one implementation of
// it.
//
// An Error of kind not_found means that the VM is gone, invalid that this driver does not have the call,
// timeout that there was no answer within the call's limit. After a timeout the connection is of no more use:
// renew(). Its loss shows in alive().
#pragma once

#include <libvirt/libvirt.h>

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "model/cycle.h"
#include "source/libvirt/domain_xml.h"
#include "source/libvirt/handles.h"
#include "source/libvirt/stat_groups.h"

namespace virtmeter {

// An active VM with the handle of its domain, so that its statistics need no second look-up.
struct LiveVm {
  DomainHandle domain;  // Null when it was gone at the last renew().
  Uuid uuid;
  int domain_id = -1;
  std::string name;
  int state = -1;  // virDomainState and its reason; -1 where the list did not tell.
  int state_reason = -1;

  bool paused() const { return state == VIR_DOMAIN_PAUSED; }
  // Whether its guest may do anything: true where that is not known.
  bool runs() const { return state < 0 || state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED; }
  // Active for libvirt, but its QEMU is not up yet.
  bool starting() const { return paused() && state_reason == VIR_DOMAIN_PAUSED_STARTING_UP; }
};

using RecordVisitor = FunctionRef<void(const Uuid& uuid, std::span<const virTypedParameter> params)>;

struct BulkRequest {
  std::span<const LiveVm* const> vms;
  GroupSet groups = kAllGroups;
  std::chrono::nanoseconds limit = std::chrono::seconds(10);
};

// What libvirt says of the way to a VM's QEMU, without going there (virDomainGetControlInfo).
struct ControlState {
  enum class Kind {
    free,
    job,       // A long job (migration, dump, backup) runs; whether its QEMU answers is not told.
    occupied,  // Some call waits for its QEMU.
    broken,    // libvirt has lost its QEMU's monitor.
  };
  Kind kind = Kind::free;
  std::chrono::milliseconds held{0};  // For how long; 0 when free or broken.
};

class Connector {
 public:
  virtual ~Connector() = default;

  // Opens the connection and registers for events. Closes an old one first: its LiveVms must be gone by then.
  virtual Status connect() = 0;
  virtual void disconnect() = 0;
  virtual bool alive() = 0;

  // Opens what a timeout has broken, and gives `vms` fresh handles: the old ones are of the old connection.
  virtual Status renew(std::span<LiveVm> vms) = 0;

  // Makes `vms` the active ones, in the order of the domain ids; what it held before is storage to be used
  // again. virConnectGetAllDomainStats of the state group, which gives list, handles and states at once and
  // asks no QEMU; virConnectListAllDomains, without states, where the driver has no such call.
  virtual Status get_live_vms(std::vector<LiveVm>& vms) = 0;

  // virDomainListGetStats of the groups asked for, without waiting for jobs. A VM that has gone has no
  // record. The VM whose QEMU does not answer holds the whole request.
  virtual Status get_bulk_stats(const BulkRequest& request, const RecordVisitor& visit) = 0;

  virtual Result<ControlState> get_control_state(const LiveVm& vm) = 0;

  virtual Result<DeviceList> get_devices_for_vm(const LiveVm& vm) = 0;  // virDomainGetXMLDesc.

  // Each sets what it reads in `values` and leaves the rest alone.
  virtual Status get_info(const LiveVm& vm, VmValues& values) = 0;          // virDomainGetInfo.
  virtual Status get_memory_stats(const LiveVm& vm, VmValues& values) = 0;  // virDomainMemoryStats.
  virtual Status get_cpu_stats(const LiveVm& vm, VmValues& values) = 0;     // virDomainGetCPUStats, totals.
  virtual Status get_interface_stats(const LiveVm& vm, const std::string& device, NicValues& values) = 0;
  virtual Status get_block_stats(const LiveVm& vm, const std::string& device, DiskValues& values) = 0;

  // What events have told since the last call: whose device lists are stale (every_vm: all of them), and
  // whose memory was changed.
  struct Invalidations {
    std::vector<Uuid> uuids = {};
    std::vector<Uuid> balloons = {};
    bool every_vm = false;
    std::uint64_t events = 0;  // Received since the last call.
  };
  virtual Invalidations take_invalidations() = 0;

  // Whether a change of a VM's memory is sure to be told by take_invalidations().
  virtual bool tells_of_balloons() const = 0;

  virtual std::uint64_t cancelled_calls() const = 0;  // Timeouts since start.

  virtual std::string version() = 0;    // "QEMU 7.2.22, libvirt 9.0.0".
  virtual std::string host_name() = 0;  // Of the hypervisor's host; empty when it does not say.
};

}  // namespace virtmeter
