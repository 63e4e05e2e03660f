// What is kept of each VM between cycles: its device lists, so that a stable host parses no XML, and with
// them the plan of its record and the last of its balloon. An entry belongs to one life of one VM (UUID and
// domain id), serves for at most the TTL, and is dropped with its VM. Entries age at slightly different
// speeds, so that a host's XML is not read again all in one cycle. Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "model/cycle.h"
#include "source/libvirt/balloon_memory.h"
#include "source/libvirt/record_plan.h"
#include "source/libvirt/stat_groups.h"

namespace virtmeter {

struct CachedVm {
  std::shared_ptr<const VmLayout> layout;
  std::vector<std::string> other_disks;  // Targets that bulk statistics name but that are no disks.
  // A record whose devices differ from the XML read for its sake: no reason to read it again each cycle.
  std::optional<std::uint64_t> excused_fingerprint = {};
  BalloonMemory balloon = {};
  // Of the record with the balloon group, and of the one without.
  RecordPlan plan_with_balloon = {};
  RecordPlan plan = {};

  RecordPlan& plan_for(GroupSet asked) { return asked.has(StatGroup::balloon) ? plan_with_balloon : plan; }
  const RecordPlan& plan_for(GroupSet asked) const {
    return asked.has(StatGroup::balloon) ? plan_with_balloon : plan;
  }
};

class DeviceCache {
 public:
  explicit DeviceCache(std::chrono::nanoseconds ttl) : ttl_(ttl) {}

  // The entry, and a hit, when it is of this life of the VM and still good. Otherwise null, and a miss.
  CachedVm* find(const Uuid& uuid, int domain_id, BootTime now);

  // The entry of this life of the VM whatever its age, uncounted: better than nothing when XML cannot be
  // read.
  CachedVm* find_stale(const Uuid& uuid, int domain_id);

  // The entry of whichever life; nobody has used the VM by it.
  CachedVm* find_any(const Uuid& uuid);

  CachedVm& put(CachedVm vm, BootTime now);

  void invalidate(const Uuid& uuid);
  void invalidate_all();

  // Drops every entry that has not been looked up since the last call of this.
  void drop_unused();

  struct Stats {
    std::uint64_t entries = 0;
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t bytes = 0;
  };
  Stats stats() const;

 private:
  struct Entry {
    CachedVm vm;
    BootTime good_until;
    bool used = true;
  };
  Entry* lookup(const Uuid& uuid, int domain_id);

  std::chrono::nanoseconds ttl_;
  std::unordered_map<Uuid, Entry, UuidHash> entries_;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
};

}  // namespace virtmeter
