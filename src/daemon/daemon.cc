#include "daemon/daemon.h"

#include "base/log.h"
#include "base/text.h"
#include "daemon/delivery_options.h"
#include "daemon/guest_memory.h"
#include "daemon/hypervisor.h"
#include "daemon/thread_name.h"

namespace virtmeter {
namespace {

using std::chrono::seconds;

// Together with the exit of the threads these stay under the 5 s that operators and systemd are promised.
constexpr seconds kCollectorPatience{1};
constexpr seconds kDeliveryGrace{3};

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::open(const Settings& settings, const Clock& clock) {
  Result<std::unique_ptr<Source>> source = open_hypervisor(settings, clock);
  if (!source) return std::move(source).error();
  Result<std::unique_ptr<Sink>> sink = open_sink(sink_options(settings), clock);
  if (!sink) return std::move(sink).error();
  const std::string reader((*sink)->name());
  Result<std::unique_ptr<Spool>> spool =
      Spool::open(spool_options(settings), {reader}, system_files(), clock);
  if (!spool) return std::move(spool).error();
  return std::unique_ptr<Daemon>(new Daemon(settings, clock, std::move(source).value(),
                                            std::move(sink).value(), std::move(spool).value()));
}

Daemon::Daemon(const Settings& settings, const Clock& clock, std::unique_ptr<Source> source,
               std::unique_ptr<Sink> sink, std::unique_ptr<Spool> spool)
    : source_(std::move(source)),
      sink_(std::move(sink)),
      sampler_(*source_, clock, {settings.poll_interval, settings.host_tag}),
      encoder_({missing_policy(settings)}),
      spool_(std::move(spool)),
      delivery_(spool_->reader(sink_->name()), *sink_, clock, delivery_options(settings)),
      collector_(sampler_, clock, settings.poll_interval,
                 [this](const Sampler::Sampled& sampled) { take_cycle(sampled); }) {}

Daemon::~Daemon() {
  if (delivery_thread_.joinable()) {
    collector_.stop(kCollectorPatience);
    delivery_.stop(seconds(0));
    delivery_thread_.join();
    end_spool();
  }
}

void Daemon::end_spool() {
  spool_->request_stop();
  spool_thread_.join();
}

Status Daemon::start() {
  Status started = events_.start();
  if (!started) return started;
  spool_thread_ = std::thread([this] {
    name_this_thread("vm-spool");
    spool_->run();
  });
  delivery_thread_ = std::thread([this] {
    name_this_thread("vm-delivery");
    delivery_.run();
  });
  collector_.start();
  return Status::ok();
}

void Daemon::take_cycle(const Sampler::Sampled& sampled) {
  encoded_.clear();
  const std::size_t lines = encoder_.encode(*sampled.cycle, encoded_);
  spool_->append(encoded_, lines, sampled.cycle->time);
  log_debug("cycle {}: {} VMs, {} lines, {:.1f} ms", sampled.cycle->number, sampled.cycle->vms.size(), lines,
            sampler_.stats().loop_latency_ms);
  if (advised_) return;
  if (const auto advice = advise_on_guest_memory(*sampled.cycle)) {
    log_warning("{}; fix: {}", advice->what, advice->fix);
    advised_ = true;
  }
}

bool Daemon::stop() {
  const bool stopped = collector_.stop(kCollectorPatience);
  if (!stopped) log_warning("a call into libvirt does not return; leaving without it");
  delivery_.stop(kDeliveryGrace);
  delivery_thread_.join();
  end_spool();
  log_summary();
  return stopped;
}

void Daemon::log_summary() const {
  const CollectorStatus collected = collector_status();
  const ReaderCounts lines = delivery_status().lines;
  std::string reasons;
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    reasons += fmt::format("{}{} {}", i == 0 ? "" : ", ", name_of(static_cast<DropReason>(i)),
                           lines.dropped.lines[i]);
  }
  log_info(
      "stopped after {} cycles ({} failed, {} beats missed); lines: {} collected, {} delivered, {} waiting, "
      "{} dropped ({})",
      collected.sampler.cycles, collected.sampler.failed_cycles, collected.missed_beats, lines.collected,
      lines.delivered, lines.waiting, lines.dropped.total(), reasons);
  std::string absent;
  for (std::size_t i = 0; i < kAbsenceCount; ++i) {
    const std::uint64_t count = collected.sampler.absences[i];
    if (count > 0)
      absent += fmt::format("{}{} {}", absent.empty() ? "" : ", ", name_of(static_cast<Absence>(i)), count);
  }
  const SourceStatus source = source_status();
  log_info(
      "libvirt: {} bulk calls, {} fallback calls, {} failed; {} VMs vanished while read, {} unread; device "
      "cache: "
      "{} hits, {} misses, {} XML reads ({} failed), {} entries of {} bytes; {} unknown states; absent "
      "values: {}",
      source.bulk_calls, source.fallback_calls, source.failed_calls, source.vms_vanished, source.vms_unread,
      source.cache_hits, source.cache_misses, source.xml_reads, source.xml_failures, source.cache_entries,
      source.cache_bytes, collected.sampler.unknown_states, absent.empty() ? "none" : absent);
}

}  // namespace virtmeter
