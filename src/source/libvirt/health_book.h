// Judges how each VM could be read in a cycle, for the measurement vm_health, and remembers of each what that
// takes: when its groups were last read, and what it has lacked all its life, which is no failure. Fills
// VmSample::health for a VM that is not ok, and once when it is again. Collector thread only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "source/libvirt/vm_reading.h"

namespace virtmeter {

class HealthBook {
 public:
  Health judge(VmReading& reading, BootTime now);

  // Forgets the VMs that were not judged since the last call of this.
  void drop_unjudged();

  std::size_t size() const { return vms_.size(); }

 private:
  enum Group { cpu, memory, nic, disk };
  static constexpr std::size_t kGroupCount = 4;

  struct Vm {
    int domain_id = -1;
    std::array<std::optional<BootTime>, kGroupCount> last_read;
    // The fewest values that failed at once while it had so many devices: more is a failure.
    std::uint32_t faults_least = 0;
    std::uint32_t device_count = 0;
    bool is_new = true;
    bool was_ok = true;
    bool judged = true;
  };

  static void note_groups(Vm& vm, const VmReading& reading, BootTime now);
  static void tell(const Vm& vm, VmReading& reading, BootTime now);

  std::unordered_map<Uuid, Vm, UuidHash> vms_;
};

}  // namespace virtmeter
