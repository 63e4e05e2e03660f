#include "source/libvirt/libvirt_connector.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "source/libvirt/libvirt_error.h"

namespace virtmeter {
namespace {

// Never 0: that asks for every group the daemon knows, costly future ones included.
constexpr unsigned int kGroups = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL |
                                 VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU |
                                 VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK;
// ACTIVE: an inactive domain's BLOCK opens its image files. NOWAIT: a busy VM answers what it can at once.
constexpr unsigned int kBulkFlags =
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;

constexpr int kKeepaliveIntervalSeconds = 5;
constexpr unsigned int kKeepaliveCountMax = 5;

struct FreeC {
  void operator()(char* text) const { std::free(text); }
};
using CString = std::unique_ptr<char, FreeC>;

Uuid uuid_of(virDomainPtr domain) {
  Uuid uuid;
  if (virDomainGetUUID(domain, uuid.bytes.data()) != 0) uuid = {};
  return uuid;
}

struct MemoryTag {
  int tag;
  MetricId id;
};

// The rows of "memory.<name>" by libvirt's tag.
constexpr std::array kMemoryTags = std::to_array<MemoryTag>({
    {VIR_DOMAIN_MEMORY_STAT_SWAP_IN, metric_id("vm_totals.memswap_in")},
    {VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, metric_id("vm_totals.memswap_out")},
    {VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, metric_id("vm_totals.memmajor_fault")},
    {VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, metric_id("vm_totals.memminor_fault")},
    {VIR_DOMAIN_MEMORY_STAT_AVAILABLE, metric_id("vm_totals.memavailable")},
    {VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, metric_id("vm_totals.memactual")},
    {VIR_DOMAIN_MEMORY_STAT_RSS, metric_id("vm_totals.memrss")},
    {VIR_DOMAIN_MEMORY_STAT_USABLE, metric_id("vm_totals.memusable")},
    {VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, metric_id("vm_totals.memdisk_cache")},
});

// libvirt's structs say -1 for what the driver does not count.
template <Scope S>
void set_signed(Values<S>& values, MetricId id, long long value) {
  if (value == -1) return values.set_absent(id, Absence::unsupported);
  if (value < 0) return values.set_absent(id, Absence::out_of_range);
  values.set_integer(id, value);
}

template <Scope S>
void fill_unread(Values<S>& values, MetricId id, std::uint64_t value) {
  if (!values.has(id)) values.set_unsigned(id, value);
}

// "7.2.22" of libvirt's 1000000 * major + 1000 * minor + release.
std::string version_text(unsigned long version) {
  return fmt::format("{}.{}.{}", version / 1'000'000, version / 1000 % 1000, version % 1000);
}

}  // namespace

struct LibvirtConnector::Callbacks {
  using Holder = std::shared_ptr<Shared>;

  static Shared& shared(void* opaque) { return **static_cast<Holder*>(opaque); }
  static void free_holder(void* opaque) { delete static_cast<Holder*>(opaque); }

  static int lifecycle(virConnectPtr, virDomainPtr domain, int event, int, void* opaque) {
    // Paused and resumed VMs keep their devices; the others may have become another machine.
    if (event != VIR_DOMAIN_EVENT_SUSPENDED && event != VIR_DOMAIN_EVENT_RESUMED) {
      shared(opaque).inbox.put(uuid_of(domain));
    }
    return 0;
  }
  static void device(virConnectPtr, virDomainPtr domain, const char*, void* opaque) {
    shared(opaque).inbox.put(uuid_of(domain));
  }
  static void closed(virConnectPtr, int, void* opaque) { static_cast<Shared*>(opaque)->closed = true; }
};

LibvirtConnector::LibvirtConnector(std::string uri_text, LibvirtUri uri)
    : uri_text_(std::move(uri_text)), uri_(std::move(uri)) {}

LibvirtConnector::~LibvirtConnector() { disconnect(); }

Status LibvirtConnector::connect() {
  disconnect();
  ConnectHandle connection(virConnectOpenReadOnly(uri_text_.c_str()));
  if (!connection) return last_connect_error(uri_text_, uri_);
  connection_ = std::move(connection);
  shared_->closed = false;
  // A driver inside this process has neither; a dead daemon then shows at the next call.
  virConnectSetKeepAlive(connection_.get(), kKeepaliveIntervalSeconds, kKeepaliveCountMax);
  // Without a free function: some drivers never call it. disconnect() takes the callback back before we go.
  virConnectRegisterCloseCallback(connection_.get(), Callbacks::closed, shared_.get(), nullptr);
  // Events first, lists after: what changes in between is then told twice rather than never.
  register_events();
  shared_->inbox.put_every_vm();
  return Status::ok();
}

void LibvirtConnector::register_events() {
  struct Wanted {
    int id;
    virConnectDomainEventGenericCallback callback;
  };
  const std::array<Wanted, 3> wanted = {{
      {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(Callbacks::lifecycle)},
      {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(Callbacks::device)},
      {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(Callbacks::device)},
  }};
  for (const Wanted& event : wanted) {
    auto* holder = new Callbacks::Holder(shared_);
    const int id = virConnectDomainEventRegisterAny(connection_.get(), nullptr, event.id, event.callback,
                                                    holder, Callbacks::free_holder);
    // Each event is an accelerator: without it, the record's own device names and the TTL tell, only later.
    if (id < 0) {
      delete holder;
    } else {
      callback_ids_.push_back(id);
    }
  }
}

void LibvirtConnector::unregister_events() {
  for (const int id : callback_ids_) virConnectDomainEventDeregisterAny(connection_.get(), id);
  callback_ids_.clear();
  virConnectUnregisterCloseCallback(connection_.get(), Callbacks::closed);
}

void LibvirtConnector::disconnect() {
  if (!connection_) return;
  unregister_events();
  connection_.reset();
}

bool LibvirtConnector::alive() {
  return connection_ && !shared_->closed && virConnectIsAlive(connection_.get()) == 1;
}

Result<std::vector<LiveVm>> LibvirtConnector::get_live_vms() {
  virDomainPtr* domains = nullptr;
  const int count = virConnectListAllDomains(connection_.get(), &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
  if (count < 0) return last_call_error("list the VMs");
  std::vector<LiveVm> vms;
  vms.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    LiveVm vm;
    vm.domain.reset(domains[i]);
    vm.uuid = uuid_of(domains[i]);
    vm.domain_id = static_cast<int>(virDomainGetID(domains[i]));
    const char* name = virDomainGetName(domains[i]);
    vm.name = name == nullptr ? "" : name;
    vms.push_back(std::move(vm));
  }
  std::free(domains);
  std::sort(vms.begin(), vms.end(),
            [](const LiveVm& a, const LiveVm& b) { return a.domain_id < b.domain_id; });
  return vms;
}

Status LibvirtConnector::get_bulk_stats(std::span<const LiveVm* const> vms, const RecordVisitor& visit) {
  std::vector<virDomainPtr> domains;
  domains.reserve(vms.size() + 1);
  for (const LiveVm* vm : vms) domains.push_back(vm->domain.get());
  domains.push_back(nullptr);
  virDomainStatsRecordPtr* records = nullptr;
  const int count = virDomainListGetStats(domains.data(), kGroups, &records, kBulkFlags);
  if (count < 0) return last_call_error("read bulk statistics");
  for (int i = 0; i < count; ++i) {
    const virDomainStatsRecord& record = *records[i];
    visit(uuid_of(record.dom), {record.params, static_cast<std::size_t>(record.nparams)});
  }
  virDomainStatsRecordListFree(records);
  return Status::ok();
}

Result<DeviceList> LibvirtConnector::get_devices_for_vm(const LiveVm& vm) {
  const CString xml(virDomainGetXMLDesc(vm.domain.get(), 0));
  if (!xml) return last_call_error("read the domain XML");
  return parse_domain_xml(xml.get());
}

Status LibvirtConnector::get_info(const LiveVm& vm, VmValues& values) {
  virDomainInfo info{};
  if (virDomainGetInfo(vm.domain.get(), &info) != 0) return last_call_error("read the VM's info");
  fill_unread(values, metric_id("vm_totals.state"), info.state);
  fill_unread(values, metric_id("vm_metrics.cpu_count"), info.nrVirtCpu);
  fill_unread(values, metric_id("vm_metrics.memory_max_kb"), info.maxMem);
  fill_unread(values, metric_id("vm_metrics.memory_used_kb"), info.memory);
  fill_unread(values, metric_id("vm_metrics.cputime_ns"), info.cpuTime);
  return Status::ok();
}

Status LibvirtConnector::get_memory_stats(const LiveVm& vm, VmValues& values) {
  std::array<virDomainMemoryStatStruct, VIR_DOMAIN_MEMORY_STAT_NR> stats{};
  const int count = virDomainMemoryStats(vm.domain.get(), stats.data(), stats.size(), 0);
  if (count < 0) return last_call_error("read memory statistics");
  for (int i = 0; i < count; ++i) {
    const auto& stat = stats[static_cast<std::size_t>(i)];
    for (const MemoryTag& known : kMemoryTags) {
      if (known.tag == stat.tag) fill_unread(values, known.id, stat.val);
    }
  }
  return Status::ok();
}

Status LibvirtConnector::get_cpu_stats(const LiveVm& vm, VmValues& values) {
  std::array<virTypedParameter, 16> params{};
  constexpr int kTotals = -1;  // start_cpu -1 with ncpus 1: sums over the host's CPUs.
  const int count = virDomainGetCPUStats(vm.domain.get(), params.data(), params.size(), kTotals, 1, 0);
  if (count < 0) return last_call_error("read CPU statistics");
  unsigned long long time = 0;
  const auto fill = [&](const char* key, MetricId id) {
    if (virTypedParamsGetULLong(params.data(), count, key, &time) == 1) fill_unread(values, id, time);
  };
  fill(VIR_DOMAIN_CPU_STATS_USERTIME, metric_id("vm_totals.timeusr"));
  fill(VIR_DOMAIN_CPU_STATS_SYSTEMTIME, metric_id("vm_totals.timesys"));
  fill(VIR_DOMAIN_CPU_STATS_CPUTIME, metric_id("vm_metrics.cputime_ns"));
  virTypedParamsClear(params.data(), count);
  return Status::ok();
}

Status LibvirtConnector::get_interface_stats(const LiveVm& vm, const std::string& device, NicValues& values) {
  virDomainInterfaceStatsStruct stats{};
  if (virDomainInterfaceStats(vm.domain.get(), device.c_str(), &stats, sizeof stats) != 0) {
    return last_call_error("read interface statistics");
  }
  set_signed(values, metric_id("nic.rxbytes"), stats.rx_bytes);
  set_signed(values, metric_id("nic.rxpackets"), stats.rx_packets);
  set_signed(values, metric_id("nic.rxerrors"), stats.rx_errs);
  set_signed(values, metric_id("nic.rxdrops"), stats.rx_drop);
  set_signed(values, metric_id("nic.txbytes"), stats.tx_bytes);
  set_signed(values, metric_id("nic.txpackets"), stats.tx_packets);
  set_signed(values, metric_id("nic.txerrors"), stats.tx_errs);
  set_signed(values, metric_id("nic.txdrops"), stats.tx_drop);
  return Status::ok();
}

Status LibvirtConnector::get_block_stats(const LiveVm& vm, const std::string& device, DiskValues& values) {
  virDomainBlockStatsStruct stats{};
  if (virDomainBlockStats(vm.domain.get(), device.c_str(), &stats, sizeof stats) != 0) {
    return last_call_error("read block statistics");
  }
  set_signed(values, metric_id("disk.rd_req"), stats.rd_req);
  set_signed(values, metric_id("disk.rd_bytes"), stats.rd_bytes);
  set_signed(values, metric_id("disk.wr_reqs"), stats.wr_req);
  set_signed(values, metric_id("disk.wr_bytes"), stats.wr_bytes);
  set_signed(values, metric_id("disk.errors"), stats.errs);
  return Status::ok();
}

std::string LibvirtConnector::version() {
  unsigned long hypervisor = 0;
  unsigned long library = 0;
  std::string text =
      virConnectGetType(connection_.get()) == nullptr ? "" : virConnectGetType(connection_.get());
  if (virConnectGetVersion(connection_.get(), &hypervisor) == 0 && hypervisor != 0) {
    text += " " + version_text(hypervisor);
  }
  if (virConnectGetLibVersion(connection_.get(), &library) == 0) text += ", libvirt " + version_text(library);
  return text;
}

std::string LibvirtConnector::host_name() {
  const CString name(virConnectGetHostname(connection_.get()));
  return name ? name.get() : "";
}

}  // namespace virtmeter
