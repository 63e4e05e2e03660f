#include "source/libvirt/device_cache.h"

#include <iterator>
#include <utility>

namespace virtmeter {
namespace {

// Between 80 % and 100 % of the TTL, the same for the same VM.
std::chrono::nanoseconds spread(std::chrono::nanoseconds ttl, const Uuid& uuid) {
  const auto step = static_cast<std::int64_t>(UuidHash{}(uuid) % 201);
  return ttl / 1000 * (800 + step);
}

}  // namespace

DeviceCache::Entry* DeviceCache::lookup(const Uuid& uuid, int domain_id) {
  const auto found = entries_.find(uuid);
  if (found == entries_.end()) return nullptr;
  Entry& entry = found->second;
  entry.used = true;
  return entry.vm.layout->domain_id == domain_id ? &entry : nullptr;
}

CachedVm* DeviceCache::find(const Uuid& uuid, int domain_id, BootTime now) {
  Entry* entry = lookup(uuid, domain_id);
  if (entry == nullptr || entry->good_until <= now) {
    ++misses_;
    return nullptr;
  }
  ++hits_;
  return &entry->vm;
}

CachedVm* DeviceCache::find_stale(const Uuid& uuid, int domain_id) {
  Entry* entry = lookup(uuid, domain_id);
  return entry == nullptr ? nullptr : &entry->vm;
}

CachedVm* DeviceCache::find_any(const Uuid& uuid) {
  const auto found = entries_.find(uuid);
  return found == entries_.end() ? nullptr : &found->second.vm;
}

CachedVm& DeviceCache::put(CachedVm vm, BootTime now) {
  const Uuid uuid = vm.layout->uuid;
  Entry& entry = entries_[uuid];
  entry = {std::move(vm), now + spread(ttl_, uuid), true};
  return entry.vm;
}

void DeviceCache::invalidate(const Uuid& uuid) {
  const auto found = entries_.find(uuid);
  if (found != entries_.end()) found->second.good_until = {};
}

void DeviceCache::invalidate_all() {
  for (auto& [uuid, entry] : entries_) entry.good_until = {};
}

void DeviceCache::drop_unused() {
  for (auto item = entries_.begin(); item != entries_.end();) {
    item = std::exchange(item->second.used, false) ? std::next(item) : entries_.erase(item);
  }
}

DeviceCache::Stats DeviceCache::stats() const {
  Stats stats{entries_.size(), hits_, misses_, 0};
  for (const auto& [uuid, entry] : entries_) {
    // The map's node: the pair, its link and its hash.
    stats.bytes += sizeof(Uuid) + sizeof(Entry) + 2 * sizeof(void*) + entry.vm.layout->bytes();
    stats.bytes += entry.vm.plan.bytes() + entry.vm.plan_with_balloon.bytes();
    for (const std::string& name : entry.vm.other_disks) stats.bytes += sizeof(std::string) + name.capacity();
  }
  return stats;
}

}  // namespace virtmeter
