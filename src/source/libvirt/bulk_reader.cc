#include "source/libvirt/bulk_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/text.h"

namespace virtmeter {
namespace {

using Way = VmReading::Way;

// How long requests that should never wait are left alone after one did.
constexpr std::chrono::nanoseconds kQuiet = std::chrono::minutes(1);

bool open_for_bulk(const VmReading& reading) {
  return !reading.vanished && reading.way == Way::whole && !reading.has_record && !reading.wanted.empty();
}

// What to ask a VM that has hung, to see whether it answers again: something that its QEMU has to tell.
GroupSet trial_of(const VmReading& reading) {
  GroupSet groups = reading.wanted;
  if (!groups.need_monitor()) groups.add(StatGroup::balloon);
  return groups;
}

}  // namespace

void BulkReader::begin_cycle(std::size_t vms) {
  // Where the last cycle had no time for some, this one starts where it ended.
  searching_ = (found_hung_ && left_some_out_) || finder_.quarantine().waiting_calls() >= kWaitingCallsMany;
  found_hung_ = false;
  left_some_out_ = false;
  search_until_ = tools_.clock.boot_now() + patience_.search(vms);
}

// ---------------------------------------------------------------------------------------------- requests

BulkReader::Answer BulkReader::ask(Readings readings, GroupSet groups, std::chrono::nanoseconds limit,
                                   TakeRecord take) {
  asked_.clear();
  for (const VmReading* reading : readings) asked_.push_back(reading->live);
  const BootTime asked = tools_.clock.boot_now();
  ++tools_.counts.bulk_calls;
  std::optional<BootTime> answered_at;
  const auto visit = [&](const Uuid& uuid, auto params) {
    const auto reading = std::find_if(readings.begin(), readings.end(),
                                      [&](const VmReading* r) { return r->live->uuid == uuid; });
    if (reading == readings.end()) return;
    if (!answered_at) answered_at = tools_.clock.boot_now();
    read_at_ = middle(asked, *answered_at);
    take(**reading, params);
  };
  Status status = tools_.connector.get_bulk_stats({asked_, groups, limit}, visit);
  const std::chrono::nanoseconds took = answered_at.value_or(tools_.clock.boot_now()) - asked;
  if (status && groups.need_monitor()) patience_.note(took, readings.size());
  // What an old daemon lacks is no failure.
  if (!status && status.error().code != Errc::invalid) ++tools_.counts.failed_calls;
  return {std::move(status), took};
}

BulkReader::Answer BulkReader::ask(Readings readings, GroupSet groups, std::chrono::nanoseconds limit) {
  Answer answer =
      ask(readings, groups, limit, [this](VmReading& reading, auto params) { take_record(reading, params); });
  // Every active VM has a record, so one without has stopped since it was listed.
  for (VmReading* reading : readings) {
    if (answer.status && !reading->has_record) reading->vanished = true;
  }
  return answer;
}

void BulkReader::take_record(VmReading& reading, Params params) {
  const VmValues& values = reading.sample.values;
  const auto resident = reading.fast.resident ? values.integer(metric_id("vm_totals.memrss")) : std::nullopt;
  if (!fill_by_plan(reading, params)) understand(reading, params);
  if (reading.vanished) return;
  VmSample& sample = reading.sample;
  if (resident) sample.values.set_integer(metric_id("vm_totals.memrss"), *resident);
  reading.groups.starting = reading.groups.starting || reading.live->starting();
  reading.has_record = true;
  if (!reading.fast.nics || sample.read_at == BootTime{}) sample.read_at = read_at_;
  if (reading.groups.balloon) sample.memory_read_at = read_at_;
  if (reading.groups.disks) sample.disks_read_at = read_at_;
}

bool BulkReader::fill_by_plan(VmReading& reading, Params params) {
  if (reading.way != Way::whole) return false;
  const CachedVm* kept = tools_.directory.kept(*reading.live);
  if (kept == nullptr || kept->layout != reading.sample.layout) return false;
  const RecordPlan& plan = kept->plan_for(reading.wanted);
  if (!plan.matches(params)) return false;
  plan.fill(params, reading.sample);
  reading.groups = plan.groups();
  return true;
}

void BulkReader::understand(VmReading& reading, Params params) {
  const BulkRecord record(params);
  // Fresh XML, where the devices differ, is for VMs that answer.
  if (reading.way == Way::whole) {
    reading.give_layout(tools_.directory.confirm(*reading.live, reading.sample.layout, record));
  }
  if (reading.vanished) return;
  record.fill(reading.sample);
  reading.groups = record.groups();
  CachedVm* kept = reading.way == Way::whole ? tools_.directory.kept(*reading.live) : nullptr;
  if (kept == nullptr || kept->layout != reading.sample.layout) return;
  kept->plan_for(reading.wanted) =
      RecordPlan(shapes_.share(RecordShape::of(params, record)), record, *kept->layout);
}

// ------------------------------------------------------------------------------------- while all is well

void BulkReader::read(Readings chunk) {
  if (unsupported_) return;
  if (searching_) return read_one_by_one(chunk);
  read_together(chunk, patience_.usual(chunk.size()), Attempt::first);
}

void BulkReader::read_together(Readings chunk, std::chrono::nanoseconds limit, Attempt attempt) {
  if (unsupported_ || !tools_.connector.alive()) return;
  const auto is_open = [](const VmReading* reading) { return open_for_bulk(*reading); };
  std::vector<VmReading*> some;
  Readings open = chunk;
  if (!std::all_of(chunk.begin(), chunk.end(), is_open)) {
    std::copy_if(chunk.begin(), chunk.end(), std::back_inserter(some), is_open);
    open = some;
  }
  if (open.empty()) return;
  const Answer answer = ask(open, open.front()->wanted, limit);
  if (answer.status) return;
  if (answer.status.error().code == Errc::timeout) return search(open, answer.took, attempt);
  if (tools_.connector.alive()) halve(open, answer.status.error());
}

void BulkReader::halve(Readings chunk, const Error& error) {
  if (error.code == Errc::invalid) {
    log_debug("{}: {}: asking call by call", tools_.counts.target, error.message);
    unsupported_ = true;
    return;
  }
  // Up to libvirt 9.0 one VM's failure fails the whole call (docs/libvirt.md): halve until it is alone.
  if (chunk.size() > 1) {
    const std::size_t half = chunk.size() / 2;
    read_together(chunk.first(half), patience_.usual(half), Attempt::first);
    read_together(chunk.subspan(half), patience_.usual(chunk.size() - half), Attempt::first);
    return;
  }
  tools_.warnings.warn(
      fmt::format("bulk {}", chunk.front()->live->uuid.text()),
      fmt::format("vm {}: {}; asking call by call", printable(chunk.front()->live->name), error.message));
}

void BulkReader::ask_busy_again(std::span<VmReading> readings) {
  std::vector<VmReading*> busy;
  for (VmReading& reading : readings) {
    const bool held = !reading.vanished && reading.way == Way::whole && reading.groups.monitor_skipped();
    if (!held) continue;
    // Its answer leaves no doubt.
    reading.wanted.add(StatGroup::balloon);
    busy.push_back(&reading);
  }
  std::sort(busy.begin(), busy.end(), [](const VmReading* a, const VmReading* b) {
    return a->wanted != b->wanted ? a->wanted < b->wanted : a < b;
  });
  for (auto first = busy.begin(); first != busy.end();) {
    const auto end = std::find_if(
        first, busy.end(), [&](const VmReading* reading) { return reading->wanted != (*first)->wanted; });
    ask_again(std::span(first, end));
    first = end;
  }
}

void BulkReader::ask_again(Readings busy) {
  if (!tools_.connector.alive()) return;
  std::vector<VmReading*> answered;
  const auto take = [&](VmReading& reading, Params params) {
    if (BulkRecord(params).groups().monitor_skipped()) return;
    reading.forget_values();
    take_record(reading, params);
    answered.push_back(&reading);
  };
  const Answer answer = ask(busy, busy.front()->wanted, patience_.searching(busy.size()), take);
  for (VmReading* reading : answered) {
    if (!reading->vanished) singles_.complete(*reading);
  }
  if (answer.status || answer.status.error().code != Errc::timeout || !finder_.renew()) return;
  for (VmReading* reading : busy) {
    if (tools_.connector.alive()) finder_.judge(*reading, answer.took);
  }
}

// ------------------------------------------------------------------------------------------------- one hangs

void BulkReader::search(Readings chunk, std::chrono::nanoseconds waited, Attempt attempt) {
  if (!finder_.renew()) return;
  std::size_t hung_count = 0;
  for (VmReading* reading : chunk) {
    if (!tools_.connector.alive()) return;  // It is libvirtd that hangs.
    hung_count += finder_.judge(*reading, waited) == HangFinder::Verdict::hung ? 1 : 0;
  }
  if (hung_count == 0 && attempt == Attempt::first) {
    // All were slow, as far as anyone can tell.
    patience_.note(waited, chunk.size());
    return read_together(chunk, 2 * waited, Attempt::second);
  }
  searching_ = true;
  found_hung_ = found_hung_ || hung_count > 0;
  read_one_by_one(chunk);
}

void BulkReader::read_one_by_one(Readings chunk) {
  for (VmReading* reading : chunk) {
    if (!tools_.connector.alive() || unsupported_) return;
    if (!open_for_bulk(*reading)) continue;
    if (time_is_up()) {
      reading->way = Way::out_of_time;
      left_some_out_ = true;
    } else if (finder_.quarantine().waiting_calls() >= kWaitingCallsMax) {
      reading->way = Way::too_many_calls;
    } else {
      read_alone(*reading);
    }
  }
}

void BulkReader::read_alone(VmReading& reading) {
  VmReading* const one[] = {&reading};
  for (int attempt = 1; attempt <= 2; ++attempt) {
    const Answer answer = ask(one, reading.wanted, attempt * patience_.searching(1));
    if (answer.status) return;
    if (answer.status.error().code != Errc::timeout) {
      if (tools_.connector.alive()) halve(one, answer.status.error());
      return;
    }
    if (!finder_.renew()) return;
    const auto verdict = finder_.judge(reading, answer.took);
    if (!tools_.connector.alive() || verdict == HangFinder::Verdict::gone) return;
    if (verdict == HangFinder::Verdict::unknown) {
      finder_.seize(reading, tools_.clock.boot_now() + -answer.took);
    }
    found_hung_ = found_hung_ || reading.way == Way::hung;
    if (reading.way == Way::hung) return;
  }
  // It answers libvirt, but not in the time that a cycle has.
  reading.way = Way::out_of_time;
}

// ------------------------------------------------------------------------------------------- in quarantine

void BulkReader::try_hung(Readings hung) {
  for (VmReading* reading : hung) {
    if (!tools_.connector.alive()) return;
    Quarantine::Entry* entry = finder_.quarantine().find(*reading->live);
    if (reading->vanished || entry == nullptr) continue;
    if (try_one(*reading, *entry)) singles_.complete(*reading);
  }
}

// True when it has answered.
bool BulkReader::try_one(VmReading& reading, Quarantine::Entry& entry) {
  const Result<ControlState> state = tools_.connector.get_control_state(*reading.live);
  if (!state) {
    reading.vanished = state.error().code == Errc::not_found;
    return false;
  }
  const auto kind = state->kind;
  entry.call_waits = kind == ControlState::Kind::occupied || kind == ControlState::Kind::job;
  if (kind == ControlState::Kind::occupied || tools_.clock.boot_now() < entry.next_trial || time_is_up()) {
    return false;
  }
  if (unsupported_) {
    finder_.release(reading);
    return true;
  }
  // A call that still waits holds the VM for libvirt, and this one then returns at once without its QEMU.
  if (finder_.quarantine().waiting_calls() >= kWaitingCallsMax) return false;
  VmReading* const one[] = {&reading};
  reading.way = Way::whole;
  reading.wanted = trial_of(reading);
  const Answer answer = ask(one, reading.wanted, patience_.searching(1));
  if (reading.vanished) return false;
  const bool held = kind == ControlState::Kind::job && reading.groups.monitor_skipped();
  if (answer.status && !held) {
    finder_.release(reading);
    return true;
  }
  reading.way = Way::hung;
  reading.forget_values();
  if (answer.status) return false;
  const bool timed_out = answer.status.error().code == Errc::timeout;
  if (timed_out) finder_.renew();
  finder_.seize(reading, entry.since);
  entry.call_waits = timed_out;
  return false;
}

void BulkReader::read_without_monitor(std::span<VmReading> readings) {
  std::vector<VmReading*> partly;
  std::vector<VmReading*> asking;  // Those of which not all is known already.
  for (VmReading& reading : readings) {
    if (reading.vanished || reading.way == Way::whole) continue;
    partly.push_back(&reading);
    if (reading.wanted.has(StatGroup::interface)) asking.push_back(&reading);
  }
  if (partly.empty() || !tools_.connector.alive()) return;
  if (!asking.empty() && !unsupported_ && tools_.clock.boot_now() >= quiet_until_) {
    const Answer answer = ask(asking, kGroupsWithoutMonitor, patience_.usual(asking.size()));
    if (!answer.status && answer.status.error().code == Errc::timeout) {
      quiet_until_ = tools_.clock.boot_now() + kQuiet;
      finder_.renew();
    }
  }
  for (VmReading* reading : partly) {
    if (!reading->vanished) singles_.complete_without_monitor(*reading);
  }
}

}  // namespace virtmeter
