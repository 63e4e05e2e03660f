#include "source/libvirt/libvirt_connector.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "source/libvirt/libvirt_error.h"
#include "source/libvirt/typed_param.h"

namespace virtmeter {
namespace {

// Never 0: that asks for every group the daemon knows, costly future ones included.
unsigned int mask_of(GroupSet groups) {
  unsigned int mask = 0;
  const auto add = [&](StatGroup group, unsigned int bit) { mask |= groups.has(group) ? bit : 0; };
  add(StatGroup::state, VIR_DOMAIN_STATS_STATE);
  add(StatGroup::cpu, VIR_DOMAIN_STATS_CPU_TOTAL);
  add(StatGroup::balloon, VIR_DOMAIN_STATS_BALLOON);
  add(StatGroup::vcpu, VIR_DOMAIN_STATS_VCPU);
  add(StatGroup::interface, VIR_DOMAIN_STATS_INTERFACE);
  add(StatGroup::block, VIR_DOMAIN_STATS_BLOCK);
  return mask;
}

// ACTIVE: an inactive domain's BLOCK opens its image files. NOWAIT: a busy VM answers what it can at once.
constexpr unsigned int kBulkFlags =
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;

struct FreeC {
  void operator()(char* text) const { std::free(text); }
};
using CString = std::unique_ptr<char, FreeC>;

void describe(virDomainPtr domain, LiveVm& vm) {
  vm.uuid = uuid_of(domain);
  vm.domain_id = static_cast<int>(virDomainGetID(domain));
  const char* name = virDomainGetName(domain);
  vm.name = name == nullptr ? "" : name;
  vm.state = -1;
  vm.state_reason = -1;
}

void note_state(const virDomainStatsRecord& record, LiveVm& vm) {
  for (int i = 0; i < record.nparams; ++i) {
    const virTypedParameter& param = record.params[i];
    if (param.type != VIR_TYPED_PARAM_INT) continue;
    if (key_of(param) == "state.state") vm.state = param.value.i;
    if (key_of(param) == "state.reason") vm.state_reason = param.value.i;
  }
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

LibvirtConnector::LibvirtConnector(const std::string& uri_text, const LibvirtUri& uri, CallWatch& watch,
                                   CallLimits limits)
    : limits_(limits), control_(uri_text, uri, watch) {
  if (!uri.transport.empty()) own_statistics_ = std::make_unique<LibvirtConnection>(uri_text, uri, watch);
}

LibvirtConnector::~LibvirtConnector() { disconnect(); }

// ----------------------------------------------------------------------------------------------- connections

Status LibvirtConnector::connect() {
  disconnect();
  lists_with_states_ = true;
  Status opened = open_control();
  if (opened && own_statistics_) opened = own_statistics_->open(limits_.host);
  return opened;
}

Status LibvirtConnector::open_control() {
  close_control();
  Status opened = control_.open(limits_.host);
  if (!opened) return opened;
  // Events first, lists after: what changes in between is then told twice rather than never.
  control_.watched(limits_.host, [this] {
    events_.subscribe(control_.get());
    return 0;
  });
  if (!control_.alive()) return control_.failure("subscribe to events");
  events_.inbox().put_every_vm();
  return Status::ok();
}

void LibvirtConnector::close_control() {
  if (control_.get() == nullptr) return;
  control_.watched(limits_.vm, [this] {
    events_.unsubscribe(control_.get());
    return 0;
  });
  control_.close();
}

void LibvirtConnector::disconnect() {
  close_control();
  if (own_statistics_) own_statistics_->close();
}

bool LibvirtConnector::alive() { return control_.alive() && statistics().alive(); }

Status LibvirtConnector::renew(std::span<LiveVm> vms) {
  if (!control_.alive()) {
    Status opened = open_control();
    if (!opened) return opened;
  }
  if (statistics().alive()) return Status::ok();
  Status opened = own_statistics_->open(limits_.host);
  if (!opened) return opened;
  std::vector<LiveVm> listed;
  Status list = get_live_vms(listed);
  if (!list) return list;
  for (LiveVm& vm : vms) {
    const auto found = std::find_if(listed.begin(), listed.end(), [&](const LiveVm& other) {
      return other.domain && other.uuid == vm.uuid && other.domain_id == vm.domain_id;
    });
    vm.domain = found == listed.end() ? nullptr : std::move(found->domain);
  }
  return Status::ok();
}

// The same VM over the control connection; only in the few cases that need it.
Result<DomainHandle> LibvirtConnector::control_handle(const LiveVm& vm) {
  DomainHandle domain = control_.watched(
      limits_.vm, [&] { return DomainHandle(virDomainLookupByUUID(control_.get(), vm.uuid.bytes.data())); });
  if (!domain) return control_.failure("find the VM");
  if (static_cast<int>(virDomainGetID(domain.get())) != vm.domain_id) {
    return Error{Errc::not_found, "find the VM: it was started anew", ""};
  }
  return domain;
}

// ----------------------------------------------------------------------------------------------------- calls

Status LibvirtConnector::get_live_vms(std::vector<LiveVm>& vms) {
  Status listed = Status::ok();
  if (lists_with_states_) {
    listed = list_with_states(vms);
    lists_with_states_ = listed || listed.error().code != Errc::invalid;
  }
  if (!lists_with_states_) listed = list_domains(vms);
  if (!listed) {
    vms.clear();
    return listed;
  }
  std::sort(vms.begin(), vms.end(),
            [](const LiveVm& a, const LiveVm& b) { return a.domain_id < b.domain_id; });
  return listed;
}

Status LibvirtConnector::list_with_states(std::vector<LiveVm>& vms) {
  virDomainStatsRecordPtr* records = nullptr;
  const int count = statistics().watched(limits_.host, [&] {
    return virConnectGetAllDomainStats(statistics().get(), VIR_DOMAIN_STATS_STATE, &records, kBulkFlags);
  });
  if (count < 0) return statistics().failure("list the VMs");
  vms.resize(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < vms.size(); ++i) {
    describe(records[i]->dom, vms[i]);
    note_state(*records[i], vms[i]);
    // The list's own reference goes when it is freed.
    virDomainRef(records[i]->dom);
    vms[i].domain.reset(records[i]->dom);
  }
  virDomainStatsRecordListFree(records);
  return Status::ok();
}

Status LibvirtConnector::list_domains(std::vector<LiveVm>& vms) {
  virDomainPtr* domains = nullptr;
  const int count = statistics().watched(limits_.host, [&] {
    return virConnectListAllDomains(statistics().get(), &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
  });
  if (count < 0) return statistics().failure("list the VMs");
  vms.resize(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < vms.size(); ++i) {
    describe(domains[i], vms[i]);
    vms[i].domain.reset(domains[i]);
  }
  std::free(domains);
  return Status::ok();
}

Status LibvirtConnector::get_bulk_stats(const BulkRequest& request, const RecordVisitor& visit) {
  wanted_.clear();
  for (const LiveVm* vm : request.vms) {
    if (vm->domain) wanted_.push_back(vm->domain.get());
  }
  if (wanted_.empty() || request.groups.empty()) return Status::ok();
  wanted_.push_back(nullptr);
  const unsigned int groups = mask_of(request.groups);
  virDomainStatsRecordPtr* records = nullptr;
  const int count = statistics().watched(
      request.limit, [&] { return virDomainListGetStats(wanted_.data(), groups, &records, kBulkFlags); });
  if (count < 0) return statistics().failure("read bulk statistics");
  for (int i = 0; i < count; ++i) {
    const virDomainStatsRecord& record = *records[i];
    visit(uuid_of(record.dom), {record.params, static_cast<std::size_t>(record.nparams)});
  }
  virDomainStatsRecordListFree(records);
  return Status::ok();
}

Result<ControlState> LibvirtConnector::get_control_state(const LiveVm& vm) {
  Result<DomainHandle> domain = control_handle(vm);
  if (!domain) return std::move(domain).error();
  virDomainControlInfo info{};
  const int got =
      control_.watched(limits_.vm, [&] { return virDomainGetControlInfo(domain->get(), &info, 0); });
  if (got != 0) return control_.failure("ask for the VM's control state");
  ControlState state;
  if (info.state == VIR_DOMAIN_CONTROL_JOB) state.kind = ControlState::Kind::job;
  if (info.state == VIR_DOMAIN_CONTROL_OCCUPIED) state.kind = ControlState::Kind::occupied;
  if (info.state == VIR_DOMAIN_CONTROL_ERROR) state.kind = ControlState::Kind::broken;
  // Made of two readings of the daemon's wall clock: a day is as good as any longer time.
  constexpr unsigned long long kHeldMsMax = 86'400'000;
  state.held = std::chrono::milliseconds(std::min(info.stateTime, kHeldMsMax));
  return state;
}

Result<DeviceList> LibvirtConnector::get_devices_for_vm(const LiveVm& vm) {
  Result<DomainHandle> domain = control_handle(vm);
  if (!domain) return std::move(domain).error();
  const CString xml(control_.watched(limits_.vm, [&] { return virDomainGetXMLDesc(domain->get(), 0); }));
  if (!xml) return control_.failure("read the domain XML");
  return parse_domain_xml(xml.get());
}

// `call` with the VM's handle: negative when it fails.
template <typename Call>
Status LibvirtConnector::ask(const LiveVm& vm, std::string_view what, Call call) {
  if (!vm.domain) return Error{Errc::not_found, std::string(what) + ": it is gone", ""};
  const int result = statistics().watched(limits_.vm, [&] { return call(vm.domain.get()); });
  return result < 0 ? Status(statistics().failure(what)) : Status::ok();
}

Status LibvirtConnector::get_info(const LiveVm& vm, VmValues& values) {
  virDomainInfo info{};
  Status asked =
      ask(vm, "read the VM's info", [&](virDomainPtr domain) { return virDomainGetInfo(domain, &info); });
  if (!asked) return asked;
  fill_unread(values, metric_id("vm_totals.state"), info.state);
  fill_unread(values, metric_id("vm_metrics.cpu_count"), info.nrVirtCpu);
  fill_unread(values, metric_id("vm_metrics.memory_max_kb"), info.maxMem);
  fill_unread(values, metric_id("vm_metrics.memory_used_kb"), info.memory);
  fill_unread(values, metric_id("vm_metrics.cputime_ns"), info.cpuTime);
  return Status::ok();
}

Status LibvirtConnector::get_memory_stats(const LiveVm& vm, VmValues& values) {
  std::array<virDomainMemoryStatStruct, VIR_DOMAIN_MEMORY_STAT_NR> stats{};
  int count = 0;
  Status asked = ask(vm, "read memory statistics", [&](virDomainPtr domain) {
    return count = virDomainMemoryStats(domain, stats.data(), stats.size(), 0);
  });
  if (!asked) return asked;
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
  int count = 0;
  Status asked = ask(vm, "read CPU statistics", [&](virDomainPtr domain) {
    return count = virDomainGetCPUStats(domain, params.data(), params.size(), kTotals, 1, 0);
  });
  if (!asked) return asked;
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
  Status asked = ask(vm, "read interface statistics", [&](virDomainPtr domain) {
    return virDomainInterfaceStats(domain, device.c_str(), &stats, sizeof stats);
  });
  if (!asked) return asked;
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
  Status asked = ask(vm, "read block statistics", [&](virDomainPtr domain) {
    return virDomainBlockStats(domain, device.c_str(), &stats, sizeof stats);
  });
  if (!asked) return asked;
  set_signed(values, metric_id("disk.rd_req"), stats.rd_req);
  set_signed(values, metric_id("disk.rd_bytes"), stats.rd_bytes);
  set_signed(values, metric_id("disk.wr_reqs"), stats.wr_req);
  set_signed(values, metric_id("disk.wr_bytes"), stats.wr_bytes);
  set_signed(values, metric_id("disk.errors"), stats.errs);
  return Status::ok();
}

std::uint64_t LibvirtConnector::cancelled_calls() const {
  return control_.cancelled_calls() + (own_statistics_ ? own_statistics_->cancelled_calls() : 0);
}

std::string LibvirtConnector::version() {
  const auto read = [this] {
    unsigned long hypervisor = 0;
    unsigned long library = 0;
    const char* type = virConnectGetType(control_.get());
    std::string text = type == nullptr ? "" : type;
    if (virConnectGetVersion(control_.get(), &hypervisor) == 0 && hypervisor != 0) {
      text += " " + version_text(hypervisor);
    }
    if (virConnectGetLibVersion(control_.get(), &library) == 0) text += ", libvirt " + version_text(library);
    return text;
  };
  return control_.watched(limits_.host, read);
}

std::string LibvirtConnector::host_name() {
  const CString name(
      control_.watched(limits_.host, [this] { return virConnectGetHostname(control_.get()); }));
  return name ? name.get() : "";
}

}  // namespace virtmeter
