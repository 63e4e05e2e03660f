// The daemon: wires source, sampler, encoder, spool and sink together and owns the threads "vm-events",
// "vm-collector", "vm-spool" and "vm-delivery" (ARCHITECTURE.md). Main thread only.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "codec/line_protocol.h"
#include "config/settings.h"
#include "daemon/collector.h"
#include "daemon/event_thread.h"
#include "sampler/sampler.h"
#include "sink/delivery.h"
#include "sink/sink_table.h"
#include "source/source.h"
#include "spool/spool.h"

namespace virtmeter {

class Daemon {
 public:
  // Checks what can be checked without a connection. `clock` must outlive the daemon. Stop signals must be
  // blocked by now: the threads inherit the mask.
  static Result<std::unique_ptr<Daemon>> open(const Settings& settings, const Clock& clock);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  Status start();

  // Ends collection, delivers what it can, leaves the rest to the spool, and ends, all within 5 s. False: a
  // call into libvirt does not return; no line is lost by it, but the process can only be left by _exit().
  bool stop();

  CollectorStatus collector_status() const { return collector_.get_status(); }
  DeliveryStatus delivery_status() const { return delivery_.status(); }
  SpoolStatus spool_status() const { return spool_->status(); }
  SourceStatus source_status() const { return source_->status(); }
  std::string sink_target() const { return sink_->target(); }

 private:
  Daemon(const Settings& settings, const Clock& clock, std::unique_ptr<Source> source,
         std::unique_ptr<Sink> sink, std::unique_ptr<Spool> spool);
  void end_spool();
  void take_cycle(const Sampler::Sampled& sampled);
  void log_summary() const;

  EventThread events_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<Sink> sink_;
  Sampler sampler_;
  LineProtocolEncoder encoder_;
  std::string encoded_;  // Of the cycle at hand; keeps its capacity.
  bool advised_ = false;
  std::unique_ptr<Spool> spool_;
  Delivery delivery_;
  Collector collector_;
  std::thread spool_thread_;
  std::thread delivery_thread_;
};

}  // namespace virtmeter
