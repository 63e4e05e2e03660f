#include "source/libvirt/libvirt_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "source/libvirt/libvirt_connector.h"
#include "source/libvirt/uri.h"

namespace virtmeter {
namespace {

using std::chrono::seconds;

constexpr std::chrono::nanoseconds kBackoffMin = seconds(1);
constexpr std::chrono::nanoseconds kBackoffMax = seconds(30);

// Gives the rows that the call `name` stands for, and that nobody has set, the reason `why`.
void explain_rows_of_call(VmValues& values, std::string_view name, Absence why) {
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) {
    const std::string_view call = metric(id).origin.call;
    const bool of_call = call.substr(0, name.size()) == name && call.substr(name.size(), 1) == ".";
    if (of_call && values.absence(id) == Absence::not_read) values.set_absent(id, why);
  }
}

Absence absence_of(const Error& error) {
  return error.code == Errc::invalid ? Absence::unsupported : Absence::call_failed;
}

bool nothing_read(const VmSample& sample) {
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) {
    if (sample.values.has(id)) return false;
  }
  return true;
}

BootTime middle(BootTime a, BootTime b) { return a + (b - a) / 2; }

}  // namespace

Result<std::unique_ptr<LibvirtSource>> LibvirtSource::open(const LibvirtSourceOptions& options,
                                                           const Clock& clock) {
  Result<LibvirtUri> uri = parse_libvirt_uri(options.uri);
  if (!uri) return std::move(uri).error();
  auto connector = std::make_unique<LibvirtConnector>(options.uri, std::move(uri).value());
  return std::make_unique<LibvirtSource>(options, std::move(connector), clock);
}

LibvirtSource::LibvirtSource(const LibvirtSourceOptions& options, std::unique_ptr<Connector> connector,
                             const Clock& clock)
    : options_(options),
      connector_(std::move(connector)),
      clock_(clock),
      warnings_(clock),
      directory_(*connector_, clock, warnings_, options.device_cache_ttl) {
  counts_.target = loggable_uri(options.uri);
  publish_status();
}

// --------------------------------------------------------------------------------------- the read, top down

Status LibvirtSource::read(std::vector<VmSample>& vms) {
  Status connected = ensure_connected();
  if (!connected) return connected;
  apply_invalidations();

  Result<std::vector<LiveVm>> live = connector_->get_live_vms();
  if (!live) {
    note_disconnected(live.error());
    return std::move(live).error();
  }
  std::vector<Work> works(live->size());
  for (std::size_t i = 0; i < works.size(); ++i) works[i].live = &(*live)[i];
  for (std::size_t first = 0; first < works.size(); first += options_.chunk_vms) {
    const std::size_t size = std::min(options_.chunk_vms, works.size() - first);
    read_chunk(std::span(works).subspan(first, size));
  }
  ask_busy_vms_again(works);
  deliver(works, vms);
  directory_.drop_unused();
  if (!connector_->alive()) {
    note_disconnected({Errc::unavailable, "the connection was lost while the VMs were read", ""});
  }
  publish_status();
  return Status::ok();
}

void LibvirtSource::read_chunk(std::span<Work> chunk) {
  for (Work& work : chunk) prepare(work);
  read_bulk(chunk);
  for (Work& work : chunk) {
    if (!work.vanished && connector_->alive()) fill_missing_groups(work);
  }
}

// Hands the finished samples over. VMs of which nothing could be read because the connection broke are not
// lines of zeros: they are counted as unread.
void LibvirtSource::deliver(std::vector<Work>& works, std::vector<VmSample>& vms) {
  const bool alive = connector_->alive();
  vms.reserve(vms.size() + works.size());
  for (Work& work : works) {
    if (work.vanished) {
      ++counts_.vms_vanished;
    } else if (!alive && (!work.sample.layout || nothing_read(work.sample))) {
      ++counts_.vms_unread;
    } else {
      warn_of_absences(work);
      vms.push_back(std::move(work.sample));
    }
  }
}

// ------------------------------------------------------------------------------------------------ connection

Status LibvirtSource::ensure_connected() {
  if (connector_->alive()) return Status::ok();
  if (was_connected_) note_disconnected({Errc::unavailable, "the connection was closed", ""});
  if (clock_.boot_now() < next_attempt_) {
    return Error{Errc::unavailable, "not connected, waiting to try again", counts_.last_error};
  }
  connector_->disconnect();
  Status connected = connector_->connect();
  if (!connected) {
    backoff_ = std::clamp(backoff_ * 2, kBackoffMin, kBackoffMax);
    next_attempt_ = clock_.boot_now() + backoff_;
    note_disconnected(connected.error());
    return connected;
  }
  if (counts_.connected || !counts_.last_error.empty()) ++counts_.reconnects;
  was_connected_ = true;
  backoff_ = {};
  unsupported_calls_.clear();
  counts_.connected = true;
  counts_.last_error.clear();
  counts_.version = printable(connector_->version());
  log_info("connected to {}: {}", counts_.target, counts_.version);
  publish_status();
  return Status::ok();
}

void LibvirtSource::note_disconnected(const Error& error) {
  const std::string text = error.fix.empty() ? error.message : error.message + "; fix: " + error.fix;
  if (counts_.connected || counts_.last_error != text) {
    log_warning("{}: {}; collection goes on when it answers again", counts_.target, text);
  }
  was_connected_ = false;
  counts_.connected = false;
  counts_.last_error = text;
  publish_status();
}

void LibvirtSource::apply_invalidations() {
  const Connector::Invalidations news = connector_->take_invalidations();
  counts_.events += news.events;
  directory_.invalidate(news);
}

// ---------------------------------------------------------------------------------------------- device lists

void LibvirtSource::prepare(Work& work) { give_layout(work, directory_.find(*work.live)); }

void LibvirtSource::give_layout(Work& work, std::shared_ptr<const VmLayout> layout) {
  work.vanished = work.vanished || layout == nullptr;
  if (work.vanished || layout == work.sample.layout) return;
  work.sample.nics.assign(layout->nics.size(), {});
  work.sample.disks.assign(layout->disks.size(), {});
  work.sample.layout = std::move(layout);
}

// ----------------------------------------------------------------------------------------------------- bulk

void LibvirtSource::read_bulk(std::span<Work> chunk) {
  std::vector<const LiveVm*> wanted;
  wanted.reserve(chunk.size());
  for (const Work& work : chunk) {
    if (!work.vanished) wanted.push_back(work.live);
  }
  if (wanted.empty() || !connector_->alive() || is_unsupported("bulk")) return;

  const BootTime asked = clock_.boot_now();
  ++counts_.bulk_calls;
  const Status status = connector_->get_bulk_stats(wanted, [&](const Uuid& uuid, auto params) {
    const auto work =
        std::find_if(chunk.begin(), chunk.end(), [&](const Work& w) { return w.live->uuid == uuid; });
    if (work != chunk.end()) take_record(*work, params);
  });
  const BootTime read_at = middle(asked, clock_.boot_now());
  for (Work& work : chunk) {
    work.sample.read_at = read_at;
    // Every active VM has a record, so one without has stopped since it was listed.
    if (status && !work.has_record) work.vanished = true;
  }
  if (!status && connector_->alive()) survive_bulk_failure(chunk, status.error());
}

// Another client's question holds a VM for milliseconds, so a second one at the end of the cycle nearly
// always finds it free. A longer job (migration, snapshot) holds it still: then its values stay absent.
void LibvirtSource::ask_busy_vms_again(std::span<Work> works) {
  std::vector<const LiveVm*> busy;
  for (const Work& work : works) {
    if (!work.vanished && work.groups.monitor_skipped()) busy.push_back(work.live);
  }
  if (busy.empty() || !connector_->alive()) return;
  const BootTime asked = clock_.boot_now();
  ++counts_.bulk_calls;
  std::vector<Work*> answered;
  const Status status = connector_->get_bulk_stats(busy, [&](const Uuid& uuid, auto params) {
    const auto work =
        std::find_if(works.begin(), works.end(), [&](const Work& w) { return w.live->uuid == uuid; });
    if (work == works.end() || BulkRecord(params).groups().monitor_skipped()) return;
    work->sample.values = {};
    std::fill(work->sample.nics.begin(), work->sample.nics.end(), NicValues{});
    std::fill(work->sample.disks.begin(), work->sample.disks.end(), DiskValues{});
    take_record(*work, params);
    answered.push_back(&*work);
  });
  counts_.failed_calls += status ? 0 : 1;
  const BootTime read_at = middle(asked, clock_.boot_now());
  for (Work* work : answered) {
    work->sample.read_at = read_at;
    if (!work->vanished) fill_missing_groups(*work);
  }
}

void LibvirtSource::survive_bulk_failure(std::span<Work> chunk, const Error& error) {
  if (error.code == Errc::invalid) {
    log_debug("{}: {}: asking call by call", counts_.target, error.message);
    unsupported_calls_.emplace_back("bulk");
    return;
  }
  // Up to libvirt 9.0 one VM's failure fails the whole call (docs/libvirt.md): halve until it is alone.
  ++counts_.failed_calls;
  if (chunk.size() > 1) {
    read_bulk(chunk.first(chunk.size() / 2));
    read_bulk(chunk.subspan(chunk.size() / 2));
    return;
  }
  warnings_.warn(
      fmt::format("bulk {}", chunk.front().live->uuid.text()),
      fmt::format("vm {}: {}; asking call by call", printable(chunk.front().live->name), error.message));
}

void LibvirtSource::take_record(Work& work, std::span<const virTypedParameter> params) {
  const BulkRecord record(params);
  give_layout(work, directory_.confirm(*work.live, work.sample.layout, record));
  if (work.vanished) return;
  record.fill(work.sample);
  work.groups = record.groups();
  work.has_record = true;
}

// -------------------------------------------------------------------------------------------------- fallback

void LibvirtSource::fill_missing_groups(Work& work) {
  const RecordGroups& groups = work.groups;
  const bool complete = work.has_record && groups.cpu && groups.user_time && groups.balloon && groups.vcpu;
  const BootTime asked = clock_.boot_now();
  if (!complete) fill_vm_groups(work);
  if (!work.vanished && !(groups.nics && groups.disks)) fill_devices(work);
  if (work.vanished) return;
  if (!work.has_record || !groups.cpu) work.sample.read_at = middle(asked, clock_.boot_now());
  explain_after_bulk(groups, work.sample);
}

// Every cause of an absent value is told once; what a call's failure has cost was told by the call.
void LibvirtSource::warn_of_absences(const Work& work) {
  // A VM whose QEMU is not up yet has nothing to be missed.
  if (work.groups.starting) return;
  const VmSample& sample = work.sample;
  if (work.groups.monitor_skipped()) {
    warnings_.warn(
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
  warnings_.warn(fmt::format("device {} {}", sample.layout->uuid_text, device),
                 fmt::format("vm {}: device {}: {}; its other devices go on", printable(sample.layout->name),
                             printable(device), what));
}

void LibvirtSource::fill_vm_groups(Work& work) {
  const RecordGroups& groups = work.groups;
  if (!work.has_record || !groups.cpu || !groups.balloon || !groups.vcpu) {
    fall_back(work, "info", [&](VmValues& values) { return connector_->get_info(*work.live, values); });
    // A persistent VM that has stopped since it was listed still answers, but is not active.
    work.vanished =
        work.vanished || work.sample.values.integer(metric_id("vm_totals.state")) == VIR_DOMAIN_SHUTOFF;
  }
  if (!groups.balloon) {
    fall_back(work, "memory",
              [&](VmValues& values) { return connector_->get_memory_stats(*work.live, values); });
  }
  if (!groups.user_time) {
    fall_back(work, "cpu", [&](VmValues& values) { return connector_->get_cpu_stats(*work.live, values); });
  }
}

void LibvirtSource::fill_devices(Work& work) {
  const VmLayout& layout = *work.sample.layout;
  for (std::size_t i = 0; !work.groups.nics && i < layout.nics.size(); ++i) {
    fall_back_device(work, layout.nics[i], work.sample.nics[i], [&](NicValues& values) {
      return connector_->get_interface_stats(*work.live, layout.nics[i], values);
    });
  }
  for (std::size_t i = 0; !work.groups.disks && i < layout.disks.size(); ++i) {
    fall_back_device(work, layout.disks[i], work.sample.disks[i], [&](DiskValues& values) {
      return connector_->get_block_stats(*work.live, layout.disks[i], values);
    });
  }
}

template <typename Call>
void LibvirtSource::fall_back(Work& work, std::string_view call_name, Call call) {
  if (work.vanished || !connector_->alive()) return;
  if (is_unsupported(call_name)) {
    return explain_rows_of_call(work.sample.values, call_name, Absence::unsupported);
  }
  ++counts_.fallback_calls;
  const Status status = call(work.sample.values);
  if (status) return explain_rows_of_call(work.sample.values, call_name, Absence::not_reported);
  if (status.error().code == Errc::not_found) {
    work.vanished = true;
    return;
  }
  explain_rows_of_call(work.sample.values, call_name, absence_of(status.error()));
  if (status.error().code == Errc::invalid) {
    // A daemon that is older than a statistic degrades it without noise.
    log_debug("{}: {}: these values are not available here", counts_.target, status.error().message);
    unsupported_calls_.emplace_back(call_name);
    return;
  }
  ++counts_.failed_calls;
  warnings_.warn(fmt::format("{} {}", call_name, work.sample.layout->uuid_text),
                 fmt::format("vm {}: {}", printable(work.live->name), status.error().message));
}

template <Scope S, typename Call>
void LibvirtSource::fall_back_device(Work& work, const std::string& device, Values<S>& values, Call call) {
  if (work.vanished || !connector_->alive()) return;
  ++counts_.fallback_calls;
  const Status status = call(values);
  if (status) return values.explain_unread(Absence::unsupported);
  if (status.error().code == Errc::not_found) {
    work.vanished = true;
    return;
  }
  values.explain_unread(absence_of(status.error()));
  ++counts_.failed_calls;
  warnings_.warn(fmt::format("device {} {}", work.sample.layout->uuid_text, device),
                 fmt::format("vm {}: device {}: {}; its other devices go on", printable(work.live->name),
                             printable(device), status.error().message));
}

// ----------------------------------------------------------------------------------------------------- words

bool LibvirtSource::is_unsupported(std::string_view call_name) const {
  return std::find(unsupported_calls_.begin(), unsupported_calls_.end(), call_name) !=
         unsupported_calls_.end();
}

std::string LibvirtSource::host_name() { return connector_->alive() ? connector_->host_name() : ""; }

SourceStatus LibvirtSource::status() const {
  const MutexLock lock(mutex_);
  return published_;
}

void LibvirtSource::publish_status() {
  const DeviceCache::Stats cache = directory_.cache_stats();
  counts_.xml_reads = directory_.xml_reads();
  counts_.xml_failures = directory_.xml_failures();
  counts_.cache_entries = cache.entries;
  counts_.cache_hits = cache.hits;
  counts_.cache_misses = cache.misses;
  counts_.cache_bytes = cache.bytes;
  const MutexLock lock(mutex_);
  published_ = counts_;
}

}  // namespace virtmeter
