#include "source/kernel/kernel_reader.h"

#include <algorithm>
#include <utility>

namespace virtmeter {
namespace {

// A VM whose process is not found is looked for again after 1, 2, 4, ... seconds.
constexpr std::chrono::seconds kWaitMin{1};
constexpr std::chrono::minutes kWaitMax{5};

}  // namespace

struct KernelReader::Host {
  SystemKernelFiles files;
  SystemLinkPort links;
};

KernelReader::KernelReader(const KernelReaderOptions& options, KernelFiles& files, LinkPort& links,
                           const Clock& clock)
    : options_(options),
      budget_(options.files_max),
      access_{files, budget_},
      clock_(clock),
      finder_(access_, clock, options_.finder),
      links_(links),
      our_network_path_(options.finder.proc_root + "/self/net/dev") {}

std::unique_ptr<KernelReader> KernelReader::of_this_host(const Clock& clock) {
  auto host = std::make_unique<Host>();
  KernelReaderOptions options;
  options.files_max = raise_file_limit();
  auto reader = std::make_unique<KernelReader>(options, host->files, host->links, clock);
  reader->host_ = std::move(host);
  return reader;
}

KernelReader::~KernelReader() = default;

void KernelReader::begin_cycle() {
  ++cycle_;
  finder_.begin_cycle();
  links_.refresh();
  if (!our_network_) our_network_ = access_.files.inode(KernelFiles::kNone, our_network_path_.c_str());
}

FastCoverage KernelReader::read(VmSample& sample) {
  const VmLayout& layout = *sample.layout;
  Vm& vm = vms_[layout.uuid];
  if (vm.domain_id != layout.domain_id) {
    // Another life: another process.
    vm.process.reset();
    vm.domain_id = layout.domain_id;
    vm.wait = {};
    vm.look_at = {};
  }
  vm.seen_in = cycle_;
  vm.covered = {};
  if (!vm.process) look_for(vm, layout);
  if (!vm.process) return {};
  if (!vm.process->read({layout.domain_id, options_.cgroup_root, clock_}, vm.reading)) {
    // Ended, or being replaced: libvirt will say which.
    vm.process.reset();
    vm.miss = Miss::not_found;
    vm.look_at = clock_.boot_now() + kWaitMin;
    return {};
  }
  vm.read_in = cycle_;
  vm.covered = fill(vm, sample);
  return vm.covered;
}

void KernelReader::end_cycle() {
  std::erase_if(vms_, [this](const auto& entry) { return entry.second.seen_in != cycle_; });
}

const VmKernelReading* KernelReader::reading(const Uuid& uuid) const {
  const auto vm = vms_.find(uuid);
  return vm == vms_.end() || vm->second.read_in != cycle_ ? nullptr : &vm->second.reading;
}

void KernelReader::look_for(Vm& vm, const VmLayout& layout) {
  if (clock_.boot_now() < vm.look_at) return;
  FoundProcess found;
  const Miss miss = finder_.find(layout, found);
  if (miss == Miss::later) return;
  vm.miss = miss;
  if (miss == Miss::none) {
    const bool same_network = in_our_network(found);
    vm.process.emplace(access_, std::move(found), same_network);
    vm.wait = {};
    return;
  }
  vm.wait = std::clamp<std::chrono::nanoseconds>(2 * vm.wait, kWaitMin, kWaitMax);
  vm.look_at = clock_.boot_now() + vm.wait;
}

// The kernel keeps a file of each network namespace's own under that path, and lets anyone see its inode.
bool KernelReader::in_our_network(const FoundProcess& process) {
  const auto its = access_.files.inode(process.folder.handle(), "net/dev");
  return its && its == our_network_;
}

FastCoverage KernelReader::fill(const Vm& vm, VmSample& sample) {
  FastCoverage covered;
  const VmKernelReading& reading = vm.reading;
  VmValues& values = sample.values;
  if (reading.cpu) {
    values.set_unsigned(metric_id("vm_metrics.cputime_ns"), reading.cpu->total_ns);
    values.set_unsigned(metric_id("vm_totals.timeusr"), reading.cpu->user_ns);
    values.set_unsigned(metric_id("vm_totals.timesys"), reading.cpu->system_ns);
    covered.cpu_time = true;
  }
  values.set_unsigned(metric_id("vm_totals.memrss"), reading.resident_kib);
  covered.resident = true;
  if (reading.vcpu_count) {
    values.set_integer(metric_id("vm_metrics.cpu_count"), *reading.vcpu_count);
    covered.cpu_count = true;
  }
  covered.nics = fill_nics(*vm.process, sample);
  sample.read_at = reading.read_at;
  return covered;
}

// All or none: a NIC that is missing here sends the whole VM to libvirt.
bool KernelReader::fill_nics(const QemuProcess& process, VmSample& sample) {
  const VmLayout& layout = *sample.layout;
  if (!layout.devices_known) return false;
  if (!layout.nics.empty() && !process.same_network()) return false;
  for (const std::string& nic : layout.nics) {
    const Link* link = links_.find(nic);
    if (link == nullptr || link->kind == LinkKind::other) return false;
  }
  for (std::size_t i = 0; i < layout.nics.size(); ++i) {
    if (!set_guest_view(*links_.find(layout.nics[i]), sample.nics[i])) return false;
  }
  return true;
}

FastStatus KernelReader::status() const {
  FastStatus status;
  for (const auto& [uuid, vm] : vms_) {
    if (vm.process) {
      ++status.vms_followed;
      status.cpu_time_left += vm.covered.cpu_time ? 0 : 1;
      status.cpu_count_left += vm.covered.cpu_count ? 0 : 1;
      status.nics_left += vm.covered.nics ? 0 : 1;
      status.foreign_networks += vm.process->same_network() ? 0 : 1;
      continue;
    }
    status.vms_not_found += vm.miss == Miss::not_found || vm.miss == Miss::none ? 1 : 0;
    status.vms_ambiguous += vm.miss == Miss::ambiguous ? 1 : 0;
    status.vms_refused += vm.miss == Miss::permission ? 1 : 0;
    status.vms_over_file_limit += vm.miss == Miss::file_limit ? 1 : 0;
  }
  const LinkTableStatus links = links_.status();
  status.files_open = budget_.used();
  status.process_passes = finder_.passes();
  status.links = links.links;
  status.link_dumps = links.link_dumps;
  status.link_events = links.link_events;
  status.failed_dumps = links.failed_dumps;
  return status;
}

}  // namespace virtmeter
