// The VMs whose QEMU does not answer: who they are, since when, and when each may be tried again. A VM in
// here is not asked for anything that only its QEMU knows. An entry is of one life of the VM (UUID and domain
// id). Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/cycle.h"
#include "source/libvirt/connector.h"
#include "source/source.h"

namespace virtmeter {

class Quarantine {
 public:
  struct Entry {
    int domain_id = -1;
    std::string name;
    BootTime since;       // When the call began that got no answer.
    BootTime next_trial;  // Not before.
    std::chrono::nanoseconds backoff{0};
    bool call_waits = true;  // A call of ours is still at work on it in libvirtd, as far as we know.
    bool silent = false;     // Not even libvirt's own knowledge of it could be had.
    bool listed = true;      // Since the last drop_unlisted().
  };

  // The first trial is at once; one that fails doubles the wait for the next, from one `interval` to
  // kBackoffMax.
  explicit Quarantine(std::chrono::nanoseconds interval) : interval_(interval) {}

  // Takes the VM in; when it is in already, the last trial has failed.
  Entry& put(const LiveVm& vm, BootTime since, BootTime now);

  // The VM's entry, which is then listed; null when this life of it is not in.
  Entry* find(const LiveVm& vm);

  void release(const LiveVm& vm) { entries_.erase(vm.uuid); }

  // Forgets the VMs that nobody has looked for since the last call of this: they are gone.
  void drop_unlisted();

  std::size_t size() const { return entries_.size(); }

  // Worker threads of libvirtd that our calls hold.
  std::size_t waiting_calls() const;

  // At most `count_max`, by UUID.
  std::vector<HungVm> list(std::size_t count_max) const;

 private:
  static constexpr std::chrono::nanoseconds kBackoffMax = std::chrono::minutes(5);

  const std::chrono::nanoseconds interval_;
  std::map<Uuid, Entry> entries_;
};

}  // namespace virtmeter
