// Who reads what of a VM when there is a kernel to ask: its values are in the sample already, and libvirt is
// asked for the rest, group by group. Pure functions.
#pragma once

#include "source/libvirt/balloon_memory.h"
#include "source/libvirt/device_cache.h"
#include "source/libvirt/vm_reading.h"

namespace virtmeter {

// Decides what `reading`, whose kernel values are in place, wants of libvirt, and gives it what is kept of
// its balloon where asking would tell nothing new. `kept` may be null.
void choose_groups(VmReading& reading, const CachedVm* kept, const BalloonMemory::Moment& moment);

}  // namespace virtmeter
