#include "source/libvirt/tiers.h"

namespace virtmeter {

void choose_groups(VmReading& reading, const CachedVm* kept, const BalloonMemory::Moment& moment) {
  const FastCoverage& fast = reading.fast;
  GroupSet wanted;
  if (reading.live->state < 0) wanted.add(StatGroup::state);
  if (!fast.cpu_time) wanted.add(StatGroup::cpu);
  if (!fast.nics && !reading.sample.nics.empty()) wanted.add(StatGroup::interface);
  if (!reading.sample.disks.empty()) wanted.add(StatGroup::block);
  if (kept == nullptr || !fast.resident || kept->balloon.due(moment)) {
    wanted.add(StatGroup::balloon);
  } else {
    kept->balloon.give(reading.sample.values);
    reading.balloon_kept = true;
  }
  reading.wanted = wanted;
  // Not by the group vcpu: it makes QEMU 7.1 to 8.0 interrupt every vCPU.
  reading.wants_info = !fast.cpu_count;
}

}  // namespace virtmeter
