// The daemon: wires source, sampler, encoder, spool and sink together and owns the threads "vm-events",
// "vm-collector", "vm-spool", "vm-delivery" and "vm-http" (ARCHITECTURE.md). Main thread only, but for
// report(), which is thread-safe.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "config/settings.h"
#include "daemon/collector.h"
#include "daemon/cycle_writer.h"
#include "daemon/event_pulse.h"
#include "daemon/event_thread.h"
#include "daemon/progress.h"
#include "daemon/sink_switch.h"
#include "net/http_server.h"
#include "sampler/sampler.h"
#include "sink/delivery.h"
#include "sink/sink_table.h"
#include "source/source.h"
#include "spool/spool.h"
#include "web/report.h"

namespace virtmeter {

class Daemon final : public ReportSource {
 public:
  // Checks what can be checked without a connection. A port that is taken is told and does without: a page
  // must not stop telemetry; an address that strangers reach is refused. `clock` must outlive the daemon.
  // Stop signals must be blocked by now: the threads inherit the mask.
  static Result<std::unique_ptr<Daemon>> open(const Settings& settings, const Clock& clock);
  ~Daemon() override;
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  Status start();

  // Ends collection, delivers what it can, leaves the rest to the spool, and ends, all within 5 s. False: a
  // call into libvirt does not return; no line is lost by it, but the process can only be left by _exit().
  bool stop();

  // Puts those of the settings into force that may change now, and tells of each. On an error nothing has
  // changed. No line is lost: what waits goes to the new sink.
  Status reload(const Settings& wanted);

  Report report() const override;

  CollectorStatus collector_status() const { return collector_.get_status(); }
  DeliveryStatus delivery_status() const { return delivery_.status(); }
  SpoolStatus spool_status() const { return spool_->status(); }
  SourceStatus source_status() const { return source_->status(); }
  std::string sink_target() const { return sink_.target(); }
  std::string http_address() const { return http_ ? http_->address() : ""; }

 private:
  Daemon(const Settings& settings, const Clock& clock, std::unique_ptr<Source> source,
         std::unique_ptr<Sink> sink, std::unique_ptr<Spool> spool);
  Status listen();
  void watch_progress();
  void end_spool();
  void take_cycle(const Sampler::Sampled& sampled);
  DeliveryStatus current_delivery() const;
  void change_collector(const Settings& settings);
  void stop_http();
  void log_summary() const;

  Settings settings_;  // Those that run.
  const Clock& clock_;
  const BootTime started_;
  const WallTime started_wall_;
  Progress progress_;
  EventThread events_;
  std::unique_ptr<EventPulse> event_pulse_;
  std::unique_ptr<Source> source_;
  SinkSwitch sink_;
  Sampler sampler_;  // The collector's thread only, once that runs; likewise the writer.
  bool advised_ = false;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<CycleWriter> writer_;
  Delivery delivery_;
  Collector collector_;
  std::thread spool_thread_;
  std::thread delivery_thread_;
  std::unique_ptr<HttpServer> http_;  // None: not wanted, or its port is taken.
  std::thread http_thread_;
};

}  // namespace virtmeter
