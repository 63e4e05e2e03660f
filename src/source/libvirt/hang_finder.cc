#include "source/libvirt/hang_finder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace virtmeter {
namespace {

using Seconds = std::chrono::duration<double>;

}  // namespace

bool HangFinder::renew() {
  if (tools_.connector.alive()) return true;
  const Status renewed = tools_.connector.renew(live_);
  if (!renewed) log_debug("{}: renew the connection: {}", tools_.counts.target, renewed.error().message);
  return renewed && tools_.connector.alive();
}

HangFinder::Verdict HangFinder::judge(VmReading& reading, std::chrono::nanoseconds waited) {
  const Result<ControlState> state = tools_.connector.get_control_state(*reading.live);
  if (!state) {
    reading.vanished = reading.vanished || state.error().code == Errc::not_found;
    return reading.vanished ? Verdict::gone : Verdict::unknown;
  }
  // A request goes from VM to VM, so it has spent most of its time with the one that holds it.
  if (state->kind == ControlState::Kind::occupied && state->held >= waited / 2) {
    seize(reading, tools_.clock.boot_now() + -std::min<std::chrono::nanoseconds>(state->held, waited));
    return Verdict::hung;
  }
  return state->kind == ControlState::Kind::job ? Verdict::unknown : Verdict::free;
}

void HangFinder::seize(VmReading& reading, BootTime since) {
  const BootTime now = tools_.clock.boot_now();
  const bool is_new = quarantine_.find(*reading.live) == nullptr;
  reading.way = VmReading::Way::hung;
  reading.hung_since = quarantine_.put(*reading.live, since, now).since;
  if (!is_new) return;
  tools_.warnings.warn(
      fmt::format("hung {}", reading.live->uuid.text()),
      fmt::format(
          "vm {}: its QEMU has not answered for {:.1f} s: its disk counters and guest memory are not read "
          "until it does; its other values and the other VMs go on; fix: look at its QEMU process (stopped, "
          "or waiting for its storage?)",
          printable(reading.live->name), Seconds(now - reading.hung_since).count()));
}

void HangFinder::release(VmReading& reading) {
  const Quarantine::Entry* entry = quarantine_.find(*reading.live);
  if (entry == nullptr) return;
  log_info("vm {}: its QEMU answers again, after {:.1f} s", printable(reading.live->name),
           Seconds(tools_.clock.boot_now() - entry->since).count());
  quarantine_.release(*reading.live);
  reading.way = VmReading::Way::whole;
}

}  // namespace virtmeter
