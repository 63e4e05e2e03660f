#include "source/libvirt/quarantine.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace virtmeter {

Quarantine::Entry& Quarantine::put(const LiveVm& vm, BootTime since, BootTime now) {
  Entry* known = find(vm);
  const bool is_new = known == nullptr;
  if (is_new) {
    known = &(entries_[vm.uuid] = {});
    known->domain_id = vm.domain_id;
    known->since = since;
  }
  known->name = vm.name;
  known->call_waits = true;
  if (is_new) {
    known->next_trial = now;  // As soon as libvirt says that nobody waits for it.
    return *known;
  }
  known->backoff = std::clamp(known->backoff * 2, std::min(interval_, kBackoffMax), kBackoffMax);
  // A cycle begins a little sooner or later after this one's trial.
  known->next_trial = now + (known->backoff - std::min(interval_, kBackoffMax) / 2);
  return *known;
}

Quarantine::Entry* Quarantine::find(const LiveVm& vm) {
  const auto found = entries_.find(vm.uuid);
  if (found == entries_.end() || found->second.domain_id != vm.domain_id) return nullptr;
  found->second.listed = true;
  return &found->second;
}

void Quarantine::drop_unlisted() {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry = std::exchange(entry->second.listed, false) ? std::next(entry) : entries_.erase(entry);
  }
}

std::size_t Quarantine::waiting_calls() const {
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(),
                                                [](const auto& entry) { return entry.second.call_waits; }));
}

std::vector<HungVm> Quarantine::list(std::size_t count_max) const {
  std::vector<HungVm> vms;
  for (const auto& [uuid, entry] : entries_) {
    if (vms.size() == count_max) break;
    vms.push_back({entry.name, uuid.text(), entry.since});
  }
  return vms;
}

}  // namespace virtmeter
