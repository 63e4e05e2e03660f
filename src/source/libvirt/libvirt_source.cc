#include "source/libvirt/libvirt_source.h"

#include <fmt/format.h>

#include "base/text.h"
#include "source/libvirt/tiers.h"
#include "source/libvirt/uri.h"

namespace virtmeter {
namespace {

bool nothing_read(const VmSample& sample) {
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) {
    // The state comes with the list of the VMs.
    if (sample.values.has(id) && id != metric_id("vm_totals.state")) return false;
  }
  return true;
}

void count(const VmReading& reading, TierCounts& counts) {
  const FastCoverage& fast = reading.fast;
  const bool all = fast.cpu_time && fast.resident && fast.cpu_count && fast.nics;
  const bool none = !fast.cpu_time && !fast.resident && !fast.cpu_count && !fast.nics;
  ++(all ? counts.kernel_vms : none ? counts.libvirt_vms : counts.mixed_vms);
  counts.balloon_vms += reading.wanted.has(StatGroup::balloon) ? 1 : 0;
  counts.block_vms += reading.wanted.has(StatGroup::block) ? 1 : 0;
}

}  // namespace

Result<std::unique_ptr<LibvirtSource>> LibvirtSource::open(const LibvirtSourceOptions& options,
                                                           const Clock& clock, CallWatch& watch,
                                                           std::unique_ptr<FastReader> fast) {
  Result<LibvirtUri> uri = parse_libvirt_uri(options.uri);
  if (!uri) return std::move(uri).error();
  const CallLimits limits{options.timeout, Patience({options.poll_interval, options.timeout}).single_call()};
  auto connector = std::make_unique<LibvirtConnector>(options.uri, *uri, watch, limits);
  return std::make_unique<LibvirtSource>(options, std::move(connector), clock, std::move(fast));
}

LibvirtSource::LibvirtSource(const LibvirtSourceOptions& options, std::unique_ptr<Connector> connector,
                             const Clock& clock, std::unique_ptr<FastReader> fast)
    : options_(options), clock_(clock), fast_(std::move(fast)), pass_(options, std::move(connector), clock) {}

Status LibvirtSource::read(std::vector<VmSample>& vms) {
  started_ = clock_.boot_now();
  Status begun = pass_.begin(vms);
  if (!begun) {
    vms.clear();
    return begun;
  }
  if (fast_) read_fast();
  count_tiers();
  pass_.read();
  if (fast_) {
    for (VmReading& reading : pass_.readings()) finish(reading);
    fast_->end_cycle();
    pass_.counts().fast = fast_->status();
  }
  deliver(vms);
  health_.drop_unjudged();
  pass_.end();
  return Status::ok();
}

// The kernel's part, and with it what is left for libvirt.
void LibvirtSource::read_fast() {
  fast_->begin_cycle();
  for (VmReading& reading : pass_.readings()) {
    if (reading.vanished) continue;
    reading.fast = fast_->read(reading.sample);
    choose_groups(reading, pass_.kept(reading), moment_of(reading));
  }
}

void LibvirtSource::count_tiers() {
  TierCounts counts;
  for (const VmReading& reading : pass_.readings()) {
    if (!reading.vanished) count(reading, counts);
  }
  pass_.counts().tiers = counts;
}

BalloonMemory::Moment LibvirtSource::moment_of(const VmReading& reading) const {
  return {started_, reading.live->runs(), pass_.tells_of_balloons(), options_.poll_interval};
}

void LibvirtSource::finish(VmReading& reading) {
  if (reading.vanished) return;
  VmSample& sample = reading.sample;
  if (reading.balloon_answered && reading.way == VmReading::Way::whole) {
    if (CachedVm* kept = pass_.kept(reading)) kept->balloon.keep(sample.values, moment_of(reading));
  }
  // Libvirt has told of a NIC that the kernel was not asked for.
  const bool new_nics = !reading.fast.nics && !reading.wanted.has(StatGroup::interface);
  if (new_nics) reading.fast = fast_->read(sample);
  // No event has told of a change until now.
  if (reading.balloon_kept) sample.memory_read_at = sample.read_at;
  if (sample.disks.empty()) sample.disks_read_at = sample.read_at;
}

// Hands the finished samples over. VMs of which nothing could be read because the connection broke are not
// lines of zeros: they are counted as unread.
void LibvirtSource::deliver(std::vector<VmSample>& vms) {
  const bool alive = pass_.alive();
  const BootTime now = clock_.boot_now();
  SourceStatus& counts = pass_.counts();
  counts.busy_vms = 0;
  counts.stale_vms = 0;
  std::size_t delivered = 0;
  for (VmReading& reading : pass_.readings()) {
    if (reading.vanished) {
      ++counts.vms_vanished;
    } else if (!alive && nothing_read(reading.sample)) {
      ++counts.vms_unread;
    } else {
      const Health health = health_.judge(reading, now);
      counts.busy_vms += health == Health::busy ? 1 : 0;
      counts.stale_vms += health == Health::stale ? 1 : 0;
      warn_of_absences(reading);
      std::swap(vms[delivered++], reading.sample);
    }
  }
  vms.resize(delivered);
}

// ----------------------------------------------------------------------------------------------------- words

// Every cause of an absent value is told once; what a call's failure has cost was told by the call.
void LibvirtSource::warn_of_absences(const VmReading& reading) {
  // A VM whose QEMU is not up yet has nothing to be missed.
  if (reading.groups.starting || reading.way != VmReading::Way::whole) return;
  const VmSample& sample = reading.sample;
  if (reading.groups.monitor_skipped()) {
    pass_.warnings().warn(
        fmt::format("busy {}", sample.layout->uuid_text),
        fmt::format("vm {}: another job holds it (migration, snapshot, another client): disk counters and "
                    "guest memory were not read",
                    printable(sample.layout->name)));
  }
  for (std::size_t i = 0; i < sample.nics.size(); ++i) {
    warn_of_device(sample, sample.layout->nics[i], sample.nics[i].absence(metric_id("nic.rxbytes")));
  }
  for (std::size_t i = 0; i < sample.disks.size(); ++i) {
    warn_of_device(sample, sample.layout->disks[i], sample.disks[i].absence(metric_id("disk.rd_req")));
  }
}

void LibvirtSource::warn_of_device(const VmSample& sample, const std::string& device, Absence absence) {
  std::string_view what;
  if (absence == Absence::device_gone) what = "libvirt lists it but has no statistics of it";
  if (absence == Absence::out_of_range) what = "libvirt sends a number that cannot be one";
  if (what.empty()) return;
  pass_.warnings().warn(fmt::format("device {} {}", sample.layout->uuid_text, device),
                        fmt::format("vm {}: device {}: {}; its other devices go on",
                                    printable(sample.layout->name), printable(device), what));
}

}  // namespace virtmeter
