#include "source/libvirt/libvirt_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "source/libvirt/uri.h"

namespace virtmeter {
namespace {

using std::chrono::seconds;

constexpr std::chrono::nanoseconds kBackoffMin = seconds(1);
constexpr std::chrono::nanoseconds kBackoffMax = seconds(30);

bool nothing_read(const VmSample& sample) {
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) {
    if (sample.values.has(id)) return false;
  }
  return true;
}

Patience::Bounds bounds_of(const LibvirtSourceOptions& options) {
  return {options.poll_interval, options.timeout};
}

}  // namespace

Result<std::unique_ptr<LibvirtSource>> LibvirtSource::open(const LibvirtSourceOptions& options,
                                                           const Clock& clock, CallWatch& watch) {
  Result<LibvirtUri> uri = parse_libvirt_uri(options.uri);
  if (!uri) return std::move(uri).error();
  const CallLimits limits{options.timeout, Patience(bounds_of(options)).single_call()};
  auto connector = std::make_unique<LibvirtConnector>(options.uri, *uri, watch, limits);
  return std::make_unique<LibvirtSource>(options, std::move(connector), clock);
}

LibvirtSource::LibvirtSource(const LibvirtSourceOptions& options, std::unique_ptr<Connector> connector,
                             const Clock& clock)
    : options_(options),
      connector_(std::move(connector)),
      clock_(clock),
      warnings_(clock),
      directory_(*connector_, clock, warnings_, options.device_cache_ttl),
      tools_{*connector_, clock_, warnings_, directory_, counts_},
      finder_(tools_, options.poll_interval),
      singles_(tools_, finder_),
      bulk_(tools_, finder_, singles_, bounds_of(options)) {
  counts_.target = loggable_uri(options.uri);
  publish_status();
}

// --------------------------------------------------------------------------------------- the read, top down

Status LibvirtSource::read(std::vector<VmSample>& vms) {
  vms.clear();
  Status connected = ensure_connected();
  if (!connected) return connected;
  apply_invalidations();

  Result<std::vector<LiveVm>> live = connector_->get_live_vms();
  if (!live) {
    note_disconnected(live.error());
    return std::move(live).error();
  }
  finder_.begin_cycle(*live);
  bulk_.begin_cycle(live->size());
  std::vector<VmReading> readings(live->size());
  for (std::size_t i = 0; i < readings.size(); ++i) readings[i].live = &(*live)[i];
  read_all(readings);
  deliver(readings, vms);
  directory_.drop_unused();
  finder_.quarantine().drop_unlisted();
  health_.drop_unjudged();
  finder_.begin_cycle({});
  if (!connector_->alive()) {
    note_disconnected({Errc::unavailable, "the connection was lost while the VMs were read", ""});
  }
  publish_status();
  return Status::ok();
}

void LibvirtSource::read_all(std::vector<VmReading>& readings) {
  std::vector<VmReading*> whole;
  std::vector<VmReading*> hung;
  whole.reserve(readings.size());
  for (VmReading& reading : readings) {
    const Quarantine::Entry* entry = finder_.quarantine().find(*reading.live);
    if (entry == nullptr) {
      whole.push_back(&reading);
      continue;
    }
    reading.way = VmReading::Way::hung;
    reading.hung_since = entry->since;
    reading.give_layout(directory_.find_known(*reading.live));
    hung.push_back(&reading);
  }
  for (std::size_t first = 0; first < whole.size(); first += options_.chunk_vms) {
    const std::size_t size = std::min(options_.chunk_vms, whole.size() - first);
    read_chunk(std::span(whole).subspan(first, size));
  }
  bulk_.ask_busy_again(readings);
  bulk_.try_hung(hung);
  bulk_.read_without_monitor(readings);
}

void LibvirtSource::read_chunk(BulkReader::Readings chunk) {
  for (VmReading* reading : chunk) prepare(*reading);
  bulk_.read(chunk);
  for (VmReading* reading : chunk) {
    const bool whole = !reading->vanished && reading->way == VmReading::Way::whole;
    if (whole && (reading->has_record || connector_->alive())) singles_.complete(*reading);
  }
}

void LibvirtSource::prepare(VmReading& reading) {
  const std::uint64_t failures = directory_.xml_failures();
  const BootTime asked = clock_.boot_now();
  reading.give_layout(directory_.find(*reading.live));
  if (directory_.xml_failures() == failures || connector_->alive()) return;
  // Since libvirt 11.0 reading the XML waits for a VM whose QEMU does not answer.
  if (finder_.renew()) finder_.judge(reading, clock_.boot_now() - asked);
}

// Hands the finished samples over. VMs of which nothing could be read because the connection broke are not
// lines of zeros: they are counted as unread.
void LibvirtSource::deliver(std::vector<VmReading>& readings, std::vector<VmSample>& vms) {
  const bool alive = connector_->alive();
  const BootTime now = clock_.boot_now();
  vms.reserve(vms.size() + readings.size());
  counts_.busy_vms = 0;
  counts_.stale_vms = 0;
  for (VmReading& reading : readings) {
    if (reading.vanished) {
      ++counts_.vms_vanished;
    } else if (!alive && (!reading.sample.layout || nothing_read(reading.sample))) {
      ++counts_.vms_unread;
    } else {
      const Health health = health_.judge(reading, now);
      counts_.busy_vms += health == Health::busy ? 1 : 0;
      counts_.stale_vms += health == Health::stale ? 1 : 0;
      warn_of_absences(reading);
      vms.push_back(std::move(reading.sample));
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
  const std::string version = connected ? printable(connector_->version()) : "";
  // A daemon that can barely answer may have lost us already.
  if (connected && !connector_->alive()) {
    connected = Error{Errc::unavailable, "the connection was lost while it was made", ""};
  }
  if (!connected) {
    backoff_ = std::clamp(backoff_ * 2, kBackoffMin, kBackoffMax);
    next_attempt_ = clock_.boot_now() + backoff_;
    note_disconnected(connected.error());
    return connected;
  }
  if (counts_.connected || !counts_.last_error.empty()) ++counts_.reconnects;
  was_connected_ = true;
  backoff_ = {};
  singles_.reset();
  bulk_.reset();
  counts_.connected = true;
  counts_.last_error.clear();
  counts_.version = version;
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

// ----------------------------------------------------------------------------------------------------- words

// Every cause of an absent value is told once; what a call's failure has cost was told by the call.
void LibvirtSource::warn_of_absences(const VmReading& reading) {
  // A VM whose QEMU is not up yet has nothing to be missed.
  if (reading.groups.starting || reading.way != VmReading::Way::whole) return;
  const VmSample& sample = reading.sample;
  if (reading.groups.monitor_skipped()) {
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
  counts_.cancelled_calls = connector_->cancelled_calls();
  counts_.hung_vms = finder_.quarantine().size();
  counts_.hung = finder_.quarantine().list(SourceStatus::kHungListed);
  counts_.patience = bulk_.patience(options_.chunk_vms);
  const MutexLock lock(mutex_);
  published_ = counts_;
}

}  // namespace virtmeter
