#include "source/libvirt/single_calls.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace virtmeter {
namespace {

// Gives the rows that the call `name` stands for, and that nobody has set, the reason `why`.
void explain_rows_of_call(VmValues& values, std::string_view name, Absence why) {
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) {
    const std::string_view call = metric(id).origin.call;
    const bool of_call = call.substr(0, name.size()) == name && call.substr(name.size(), 1) == ".";
    if (of_call && values.absence(id) == Absence::not_read) values.set_absent(id, why);
  }
}

Absence absence_of(const VmReading& reading, const Error& error) {
  if (reading.way == VmReading::Way::hung) return Absence::hung;
  return error.code == Errc::invalid ? Absence::unsupported : Absence::call_failed;
}

// The time of what virDomainGetInfo tells.
void note_info(VmReading& reading, BootTime read_at) {
  VmSample& sample = reading.sample;
  if (!reading.fast.nics || sample.read_at == BootTime{}) sample.read_at = read_at;
  if (!reading.balloon_kept) sample.memory_read_at = read_at;
}

void explain_all(VmSample& sample, Absence why) {
  sample.values.explain_unread(why);
  for (NicValues& nic : sample.nics) nic.explain_unread(why);
  for (DiskValues& disk : sample.disks) disk.explain_unread(why);
}

}  // namespace

// What was asked for and not answered in bulk.
struct SingleCalls::Missing {
  explicit Missing(const VmReading& reading) {
    const GroupSet wanted = reading.wanted;
    const RecordGroups& groups = reading.groups;
    cpu = wanted.has(StatGroup::cpu) && !groups.cpu;
    user_time = wanted.has(StatGroup::cpu) && !groups.user_time;
    balloon = wanted.has(StatGroup::balloon) && !groups.balloon;
    nics = wanted.has(StatGroup::interface) && !groups.nics;
    disks = wanted.has(StatGroup::block) && !groups.disks;
    const bool vcpu = wanted.has(StatGroup::vcpu) && !groups.vcpu;
    const bool state = wanted.has(StatGroup::state) && !reading.has_record;
    info = cpu || balloon || vcpu || state || reading.wants_info;
    any = info || user_time || nics || disks;
  }

  bool cpu, user_time, balloon, nics, disks, info, any;
};

void SingleCalls::complete(VmReading& reading) {
  const BootTime asked = tools_.clock.boot_now();
  const Missing missing(reading);
  if (missing.any) {
    fill_vm_groups(reading, missing);
    if (!reading.vanished) fill_devices(reading, missing);
    if (reading.vanished) return;
    const BootTime read_at = middle(asked, tools_.clock.boot_now());
    VmSample& sample = reading.sample;
    if (missing.nics || (missing.cpu && !reading.fast.nics) || sample.read_at == BootTime{}) {
      sample.read_at = read_at;
    }
    if (missing.balloon) sample.memory_read_at = read_at;
    if (missing.disks) sample.disks_read_at = read_at;
  }
  reading.balloon_answered = reading.balloon_answered || reading.groups.rss;
  if (reading.way == VmReading::Way::whole) return explain_after_bulk(reading.groups, reading.sample);
  reading.forget_kept_balloon();
  explain_all(reading.sample, Absence::hung);
}

void SingleCalls::complete_without_monitor(VmReading& reading) {
  if (reading.way == VmReading::Way::hung) reading.forget_kept_balloon();
  Quarantine::Entry* entry = finder_.quarantine().find(*reading.live);
  if (tools_.connector.alive() && (entry == nullptr || !entry->silent)) {
    const BootTime asked = tools_.clock.boot_now();
    ++tools_.counts.fallback_calls;
    const Status status = tools_.connector.get_info(*reading.live, reading.sample.values);
    if (status) note_info(reading, middle(asked, tools_.clock.boot_now()));
    if (!status) {
      ++tools_.counts.failed_calls;
      reading.vanished = reading.vanished || status.error().code == Errc::not_found;
      // Not even libvirt's own knowledge is to be had; do not leave another thread of it waiting.
      if (status.error().code == Errc::timeout && entry != nullptr) entry->silent = true;
      if (status.error().code == Errc::timeout) finder_.renew();
    }
  }
  explain_all(reading.sample, reading.way == VmReading::Way::hung ? Absence::hung : Absence::not_read);
}

void SingleCalls::fill_vm_groups(VmReading& reading, const Missing& missing) {
  Connector& connector = tools_.connector;
  if (missing.info) {
    ask(reading, "info", [&](VmValues& values) { return connector.get_info(*reading.live, values); });
    // A persistent VM that has stopped since it was listed still answers, but is not active.
    reading.vanished =
        reading.vanished || reading.sample.values.integer(metric_id("vm_totals.state")) == VIR_DOMAIN_SHUTOFF;
  }
  if (missing.balloon) {
    ask(reading, "memory", [&](VmValues& values) {
      Status status = connector.get_memory_stats(*reading.live, values);
      reading.balloon_answered = status || status.error().code == Errc::invalid;
      return status;
    });
  }
  if (missing.user_time) {
    ask(reading, "cpu", [&](VmValues& values) { return connector.get_cpu_stats(*reading.live, values); });
  }
}

void SingleCalls::fill_devices(VmReading& reading, const Missing& missing) {
  const VmLayout& layout = *reading.sample.layout;
  for (std::size_t i = 0; missing.nics && i < layout.nics.size(); ++i) {
    ask_device(reading, layout.nics[i], reading.sample.nics[i], [&](NicValues& values) {
      return tools_.connector.get_interface_stats(*reading.live, layout.nics[i], values);
    });
  }
  for (std::size_t i = 0; missing.disks && i < layout.disks.size(); ++i) {
    ask_device(reading, layout.disks[i], reading.sample.disks[i], [&](DiskValues& values) {
      return tools_.connector.get_block_stats(*reading.live, layout.disks[i], values);
    });
  }
}

bool SingleCalls::may_ask(const VmReading& reading) const {
  return !reading.vanished && reading.way == VmReading::Way::whole && tools_.connector.alive();
}

// The call has asked one VM only, so it is to blame, unless libvirt says that nobody waits for it any more.
void SingleCalls::note_timeout(VmReading& reading, BootTime asked) {
  if (!finder_.renew()) return;
  const auto verdict = finder_.judge(reading, tools_.clock.boot_now() - asked);
  if (verdict == HangFinder::Verdict::unknown && tools_.connector.alive()) finder_.seize(reading, asked);
}

template <typename Call>
void SingleCalls::ask(VmReading& reading, std::string_view call_name, Call call) {
  if (!may_ask(reading)) return;
  if (is_unsupported(call_name)) {
    return explain_rows_of_call(reading.sample.values, call_name, Absence::unsupported);
  }
  const BootTime asked = tools_.clock.boot_now();
  ++tools_.counts.fallback_calls;
  const Status status = call(reading.sample.values);
  if (status) return explain_rows_of_call(reading.sample.values, call_name, Absence::not_reported);
  if (status.error().code == Errc::not_found) {
    reading.vanished = true;
    return;
  }
  if (status.error().code == Errc::timeout) note_timeout(reading, asked);
  explain_rows_of_call(reading.sample.values, call_name, absence_of(reading, status.error()));
  if (status.error().code == Errc::invalid) {
    // A daemon that is older than a statistic degrades it without noise.
    log_debug("{}: {}: these values are not available here", tools_.counts.target, status.error().message);
    unsupported_.emplace_back(call_name);
    return;
  }
  ++tools_.counts.failed_calls;
  if (reading.way == VmReading::Way::hung) return;  // Told already.
  tools_.warnings.warn(fmt::format("{} {}", call_name, reading.sample.layout->uuid_text),
                       fmt::format("vm {}: {}", printable(reading.live->name), status.error().message));
}

template <Scope S, typename Call>
void SingleCalls::ask_device(VmReading& reading, const std::string& device, Values<S>& values, Call call) {
  if (reading.way == VmReading::Way::hung) return values.explain_unread(Absence::hung);
  if (!may_ask(reading)) return;
  const BootTime asked = tools_.clock.boot_now();
  ++tools_.counts.fallback_calls;
  const Status status = call(values);
  if (status) return values.explain_unread(Absence::unsupported);
  if (status.error().code == Errc::not_found) {
    reading.vanished = true;
    return;
  }
  if (status.error().code == Errc::timeout) note_timeout(reading, asked);
  values.explain_unread(absence_of(reading, status.error()));
  ++tools_.counts.failed_calls;
  if (reading.way == VmReading::Way::hung) return;
  tools_.warnings.warn(fmt::format("device {} {}", reading.sample.layout->uuid_text, device),
                       fmt::format("vm {}: device {}: {}; its other devices go on",
                                   printable(reading.live->name), printable(device), status.error().message));
}

bool SingleCalls::is_unsupported(std::string_view call_name) const {
  return std::find(unsupported_.begin(), unsupported_.end(), call_name) != unsupported_.end();
}

}  // namespace virtmeter
