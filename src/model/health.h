// How a VM could be read in one cycle, and why not wholly: the codes of the measurement vm_health. Codes and
// names are written to databases, so they keep their meaning. Plain data.
#pragma once

#include <cstdint>
#include <string_view>

namespace virtmeter {

enum class Health : std::uint8_t {
  ok,
  partial,  // Values that it has given before in this life could not be read.
  busy,     // Another job holds it, so what only its QEMU knows was not read.
  hung,     // Its QEMU does not answer; likewise.
  stale,    // It was not asked for what only its QEMU knows: its turn did not come.
};

enum class HealthReason : std::uint8_t {
  none,
  no_answer,       // hung.
  other_job,       // busy: migration, snapshot, another client.
  call_failed,     // partial.
  no_statistics,   // partial: libvirt lists a device but has no statistics of it.
  out_of_range,    // partial: a number that cannot be one.
  no_device_list,  // partial: the domain XML could not be read.
  out_of_time,     // stale: other VMs that hang have used the cycle up.
  too_many_calls,  // stale: so many VMs hang that another call could take libvirtd's last thread.
};

// "unknown" for a code that is none.
std::string_view health_name(std::int64_t code);
std::string_view health_reason_name(std::int64_t code);

}  // namespace virtmeter
