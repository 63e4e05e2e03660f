// virtmeter once: N cycles to standard output. Touches no database, no spool, no store.
#include <cstdio>
#include <memory>

#include "base/log.h"
#include "cli/commands.h"
#include "codec/json.h"
#include "codec/line_protocol.h"
#include "codec/prometheus_text.h"
#include "daemon/event_thread.h"
#include "daemon/hypervisor.h"
#include "daemon/stop_signals.h"
#include "sampler/beat.h"
#include "sampler/sampler.h"

namespace virtmeter {
namespace {

class CyclePrinter {
 public:
  CyclePrinter(CycleFormat format, MissingPolicy missing) : format_(format), encoder_({missing}) {}

  ExitCode print_cycle(const Cycle& cycle) {
    text_.clear();
    switch (format_) {
      case CycleFormat::line_protocol:
        encoder_.encode(cycle, text_);
        break;
      case CycleFormat::json:
        encode_json(cycle, text_);
        break;
      case CycleFormat::prometheus:
        encode_prometheus(cycle, text_);
        break;
    }
    return print(text_);
  }

 private:
  CycleFormat format_;
  LineProtocolEncoder encoder_;
  std::string text_;
};

// "cycle 1: 10 VMs in 84.1 ms; absent values: unsupported 30, not_reported 72"
void say_what_was_read(const Cycle& cycle, const SamplerStats& stats) {
  AbsenceCounts absences{};
  for (const VmSample& vm : cycle.vms) count_absences(vm, absences);
  std::string absent;
  for (std::size_t i = 0; i < absences.size(); ++i) {
    if (absences[i] == 0) continue;
    absent += fmt::format("{}{} {}", absent.empty() ? "; absent values: " : ", ",
                          name_of(static_cast<Absence>(i)), absences[i]);
  }
  log_info("cycle {}: {} VMs in {:.1f} ms{}", cycle.number, cycle.vms.size(), stats.loop_latency_ms, absent);
}

void say_no_vms(const Settings& settings) {
  log_info(
      "I104 connected, but {} shows no active VM; VMs of your own user live in qemu:///session, and VMs "
      "started by hand are not seen by libvirt",
      settings.libvirt_uri);
}

}  // namespace

ExitCode run_once(const CommandLine& line, const Settings& settings) {
  block_stop_signals();
  Status log_opened = open_log({settings.log_level, ""});
  EventThread events;
  const SystemClock clock;
  const Status started = events.start();
  if (!log_opened || !started)
    return complain(log_opened ? started.error() : log_opened.error()), ExitCode::io_error;
  const auto interval = line.interval.value_or(settings.poll_interval);
  Settings beating = settings;
  beating.poll_interval = interval;  // A VM that hangs must not hold this beat.
  Result<std::unique_ptr<Source>> source = open_hypervisor(beating, clock);
  if (!source) return complain(source.error()), exit_code_of(source.error().code);

  Sampler sampler(**source, clock, {interval, settings.host_tag});
  CyclePrinter printer(line.cycle_format, missing_policy(settings));
  Beat beat(clock.boot_now(), interval);
  for (std::uint64_t done = 0; done < line.cycles; ++done) {
    const auto patience = std::max(beat.next() - clock.boot_now(), std::chrono::nanoseconds(0));
    if (wait_for_stop_signal(patience)) return ExitCode::ok;
    const Sampler::Sampled sampled = sampler.sample();
    if (!sampled.status) return complain(sampled.status.error()), exit_code_of(sampled.status.error().code);
    if (sampled.cycle->vms.empty()) say_no_vms(settings);
    say_what_was_read(*sampled.cycle, sampler.stats());
    const ExitCode printed = printer.print_cycle(*sampled.cycle);
    if (printed != ExitCode::ok) return printed;
    beat.finished(clock.boot_now());
  }
  return ExitCode::ok;
}

}  // namespace virtmeter
