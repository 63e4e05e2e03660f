#include "daemon/daemon.h"

#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/daemon_report.h"
#include "daemon/delivery_options.h"
#include "daemon/guest_memory.h"
#include "daemon/hypervisor.h"
#include "daemon/reload.h"
#include "daemon/stop_grace.h"
#include "daemon/thread_name.h"
#include "web/pages.h"

namespace virtmeter {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

// Together with Delivery::kStopGrace and the exit of the threads this stays under the 5 s that operators and
// systemd are promised.
constexpr seconds kCollectorPatience{1};

// A loop that turns at least this often, whatever libvirt does.
constexpr seconds kEventPulse{5};
constexpr seconds kEventPatience{60};

// The one reader of the spool. Not the sink's name: a reload may put another sink in its place, and what
// waits must find it after the next start, too.
constexpr std::string_view kReader = "sink";

// The longest that one call of a sink may take: several requests, each with the HTTP client's limit.
constexpr seconds kDeliveryPatience{300};

// A cycle may take its beats and the deadlines of the calls in it; one that takes longer does not end.
nanoseconds collector_patience(const Settings& settings) {
  return 3 * (settings.poll_interval + settings.libvirt_timeout);
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::open(const Settings& settings, const Clock& clock) {
  Result<std::unique_ptr<Source>> source = open_hypervisor(settings, clock);
  if (!source) return std::move(source).error();
  Result<std::unique_ptr<Sink>> sink = open_sink(sink_options(settings), clock);
  if (!sink) return std::move(sink).error();
  Result<std::unique_ptr<Spool>> spool =
      Spool::open(spool_options(settings), {std::string(kReader)}, system_files(), clock);
  if (!spool) return std::move(spool).error();
  std::unique_ptr<Daemon> daemon(new Daemon(settings, clock, std::move(source).value(),
                                            std::move(sink).value(), std::move(spool).value()));
  Status listening = daemon->listen();
  if (!listening) return std::move(listening).error();
  return daemon;
}

Daemon::Daemon(const Settings& settings, const Clock& clock, std::unique_ptr<Source> source,
               std::unique_ptr<Sink> sink, std::unique_ptr<Spool> spool)
    : settings_(settings),
      clock_(clock),
      started_(clock.boot_now()),
      started_wall_(clock.wall_now()),
      progress_(clock),
      source_(std::move(source)),
      sink_(std::move(sink)),
      sampler_(*source_, clock, {settings.poll_interval, settings.host_tag}),
      spool_(std::move(spool)),
      writer_(std::make_unique<CycleWriter>(*spool_, missing_policy(settings))),
      delivery_(spool_->reader(kReader), sink_, clock, delivery_options(settings)),
      collector_(sampler_, clock, settings.poll_interval,
                 [this](const Sampler::Sampled& sampled) { take_cycle(sampled); }) {}

Daemon::~Daemon() {
  stop_http();
  if (delivery_thread_.joinable()) {
    collector_.stop(kCollectorPatience);
    delivery_.stop(seconds(0));
    delivery_thread_.join();
    end_spool();
  }
}

Status Daemon::listen() {
  if (settings_.http_listen.empty()) return Status::ok();
  auto server = HttpServer::open(
      settings_.http_listen, [this](const HttpAsked& asked) { return answer_page(asked, *this); }, clock_);
  if (server) {
    http_ = std::move(server).value();
    return Status::ok();
  }
  if (server.error().code == Errc::invalid) return std::move(server).error().within("http.listen");
  log_warning(
      "http.listen: {}; collecting goes on without status and health pages until the next start; fix: {}",
      server.error().message, server.error().fix);
  return Status::ok();
}

void Daemon::end_spool() {
  spool_->request_stop();
  spool_thread_.join();
}

Status Daemon::start() {
  Status started = events_.start();
  if (!started) return started;
  auto pulse = EventPulse::start(clock_, kEventPulse);
  if (!pulse) return std::move(pulse).error();
  event_pulse_ = std::move(pulse).value();
  spool_thread_ = std::thread([this] {
    name_this_thread("vm-spool");
    spool_->run();
  });
  delivery_thread_ = std::thread([this] {
    name_this_thread("vm-delivery");
    delivery_.run();
  });
  collector_.start();
  watch_progress();
  if (http_) {
    http_thread_ = std::thread([this] {
      name_this_thread("vm-http");
      http_->run();
    });
  }
  return Status::ok();
}

void Daemon::watch_progress() {
  progress_.watch("collector", collector_patience(settings_), [this] {
    const CollectorStatus status = collector_.get_status();
    return status.last_cycle_ended.value_or(status.started);
  });
  progress_.watch("delivery", kDeliveryPatience, [this] { return delivery_.last_progress(); });
  progress_.watch("event loop", kEventPatience, [this] { return event_pulse_->last_turn(); });
}

void Daemon::take_cycle(const Sampler::Sampled& sampled) {
  const SinkValues stats = stats_values(spool_->reader(kReader).counts(), delivery_.retries(),
                                        sampler_.stats(), collector_.get_status().missed_beats);
  const std::uint64_t lines = writer_->write(*sampled.cycle, sink_.name(), stats);
  log_debug("cycle {}: {} VMs, {} lines, {:.1f} ms", sampled.cycle->number, sampled.cycle->vms.size(), lines,
            sampler_.stats().loop_latency_ms);
  if (advised_) return;
  if (const auto advice = advise_on_guest_memory(*sampled.cycle)) {
    log_warning("{}; fix: {}", advice->what, advice->fix);
    advised_ = true;
  }
}

// Delivery knows the sink of its start only.
DeliveryStatus Daemon::current_delivery() const {
  DeliveryStatus status = delivery_.status();
  status.sink = sink_.name();
  status.target = sink_.target();
  return status;
}

Report Daemon::report() const {
  const BootTime now = clock_.boot_now();
  Report report;
  report.version = VIRTMETER_VERSION;
  report.pid = getpid();
  report.started = started_wall_;
  report.uptime = now - started_;
  report.collector = collector_report(collector_.get_status(), now);
  report.sources.push_back(source_report(source_->status(), now));
  report.sinks.push_back(sink_report(current_delivery()));
  report.spool = spool_report(spool_->status());
  for (const Progress::Stalled& stalled : progress_.stalled())
    report.stalled.push_back(stall_reason(stalled));
  return report;
}

Status Daemon::reload(const Settings& wanted) {
  const ReloadPlan plan = plan_reload(settings_, wanted);
  std::unique_ptr<Sink> sink;
  if (plan.sink) {
    Result<std::unique_ptr<Sink>> opened = open_sink(sink_options(plan.settings), clock_);
    if (!opened) return std::move(opened).error();
    sink = std::move(opened).value();
  }
  if (plan.log) {
    Status log_opened = open_log({plan.settings.log_level, plan.settings.log_file});
    if (!log_opened) return log_opened;
  }
  // Nothing can fail from here on.
  settings_ = plan.settings;
  for (const std::string& line : plan.changed) log_info("reload: {}", line);
  for (const std::string& line : plan.waiting) log_warning("reload: {}", line);
  if (plan.changed.empty() && plan.waiting.empty()) log_info("reload: no setting has changed");
  if (plan.collector) change_collector(plan.settings);
  if (sink) {
    sink_.replace(std::move(sink));
    log_info("reload: lines to {} from now on, those that wait included", sink_.target());
  }
  // Also without a new sink: whoever reloads has often mended what made delivery fail.
  delivery_.retry_now();
  return Status::ok();
}

void Daemon::change_collector(const Settings& settings) {
  progress_.set_patience("collector", collector_patience(settings));
  collector_.change(settings.poll_interval, [this, settings] {
    sampler_.set_options({settings.poll_interval, settings.host_tag});
    writer_ = std::make_unique<CycleWriter>(*spool_, missing_policy(settings));
  });
}

void Daemon::stop_http() {
  if (!http_thread_.joinable()) return;
  http_->request_stop();
  http_thread_.join();
}

bool Daemon::stop() {
  const bool stopped = collector_.stop(kCollectorPatience);
  if (!stopped) log_warning("a call into libvirt does not return; leaving without it");
  delivery_.stop(stop_grace(delivery_.status(), spool_->status()));
  delivery_thread_.join();
  end_spool();
  stop_http();
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
