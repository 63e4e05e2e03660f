#include "source/libvirt/libvirt_pass.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "source/libvirt/uri.h"

namespace virtmeter {
namespace {

using std::chrono::seconds;

constexpr std::chrono::nanoseconds kBackoffMin = seconds(1);
constexpr std::chrono::nanoseconds kBackoffMax = seconds(30);

}  // namespace

LibvirtPass::LibvirtPass(const LibvirtSourceOptions& options, std::unique_ptr<Connector> connector,
                         const Clock& clock)
    : options_(options),
      connector_(std::move(connector)),
      clock_(clock),
      warnings_(clock),
      directory_(*connector_, clock, warnings_, options.device_cache_ttl),
      tools_{*connector_, clock_, warnings_, directory_, counts_},
      finder_(tools_, options.poll_interval),
      singles_(tools_, finder_),
      bulk_(tools_, finder_, singles_, {options.poll_interval, options.timeout}) {
  counts_.target = loggable_uri(options.uri);
  publish_status();
}

// --------------------------------------------------------------------------------------- the pass, top down

Status LibvirtPass::begin(std::vector<VmSample>& storage) {
  Status connected = ensure_connected();
  if (!connected) return connected;
  apply_invalidations();

  Status listed = connector_->get_live_vms(live_);
  if (!listed) {
    note_disconnected(listed.error());
    return listed;
  }
  finder_.begin_cycle(live_);
  bulk_.begin_cycle(live_.size());
  readings_.resize(live_.size());
  storage.resize(live_.size());
  for (std::size_t i = 0; i < live_.size(); ++i) {
    std::swap(readings_[i].sample, storage[i]);
    readings_[i].begin(live_[i]);
  }
  for (VmReading& reading : readings_) find_layout(reading);
  return Status::ok();
}

void LibvirtPass::find_layout(VmReading& reading) {
  const LiveVm& live = *reading.live;
  if (const Quarantine::Entry* entry = finder_.quarantine().find(live)) {
    reading.way = VmReading::Way::hung;
    reading.hung_since = entry->since;
    reading.give_layout(directory_.find_known(live));
  } else {
    const std::uint64_t failures = directory_.xml_failures();
    const BootTime asked = clock_.boot_now();
    reading.give_layout(directory_.find(live));
    // Since libvirt 11.0 reading the XML waits for a VM whose QEMU does not answer.
    if (directory_.xml_failures() != failures && !connector_->alive() && finder_.renew()) {
      finder_.judge(reading, clock_.boot_now() - asked);
    }
  }
  if (!reading.vanished && live.state >= 0) {
    reading.sample.values.set_integer(metric_id("vm_totals.state"), live.state);
  }
}

void LibvirtPass::read() {
  whole_.clear();
  hung_.clear();
  for (VmReading& reading : readings_) {
    const bool is_hung = finder_.quarantine().find(*reading.live) != nullptr;
    (is_hung ? hung_ : whole_).push_back(&reading);
  }
  std::sort(whole_.begin(), whole_.end(), [](const VmReading* a, const VmReading* b) {
    return a->wanted != b->wanted ? a->wanted < b->wanted : a < b;
  });
  for (auto first = whole_.begin(); first != whole_.end();) {
    const auto end = std::find_if(
        first, whole_.end(), [&](const VmReading* reading) { return reading->wanted != (*first)->wanted; });
    read_whole(std::span(first, end));
    first = end;
  }
  bulk_.ask_busy_again(readings_);
  bulk_.try_hung(hung_);
  bulk_.read_without_monitor(readings_);
}

void LibvirtPass::read_whole(BulkReader::Readings same_groups) {
  for (std::size_t first = 0; first < same_groups.size(); first += options_.chunk_vms) {
    read_chunk(same_groups.subspan(first, std::min(options_.chunk_vms, same_groups.size() - first)));
  }
}

void LibvirtPass::read_chunk(BulkReader::Readings chunk) {
  bulk_.read(chunk);
  for (VmReading* reading : chunk) {
    const bool whole = !reading->vanished && reading->way == VmReading::Way::whole;
    const bool more_to_come = connector_->alive() || reading->wanted.empty();
    if (whole && (reading->has_record || more_to_come)) singles_.complete(*reading);
  }
}

void LibvirtPass::end() {
  directory_.drop_unused();
  finder_.quarantine().drop_unlisted();
  finder_.begin_cycle({});
  // The handles belong to a connection that may be closed before the next pass.
  for (LiveVm& vm : live_) vm.domain.reset();
  if (!connector_->alive()) {
    note_disconnected({Errc::unavailable, "the connection was lost while the VMs were read", ""});
  }
  publish_status();
}

// ------------------------------------------------------------------------------------------------ connection

Status LibvirtPass::ensure_connected() {
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

void LibvirtPass::note_disconnected(const Error& error) {
  const std::string text = error.fix.empty() ? error.message : error.message + "; fix: " + error.fix;
  if (counts_.connected || counts_.last_error != text) {
    log_warning("{}: {}; collection goes on when it answers again", counts_.target, text);
  }
  was_connected_ = false;
  counts_.connected = false;
  counts_.last_error = text;
  publish_status();
}

void LibvirtPass::apply_invalidations() {
  const Connector::Invalidations news = connector_->take_invalidations();
  counts_.events += news.events;
  directory_.invalidate(news);
}

// ---------------------------------------------------------------------------------------------------- status

SourceStatus LibvirtPass::status() const {
  const MutexLock lock(mutex_);
  return published_;
}

void LibvirtPass::publish_status() {
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
