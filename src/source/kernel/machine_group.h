// Which control group libvirt counts a VM's CPU time in, out of /proc/<pid>/cgroup. libvirt puts the
// machine's name, "qemu-<domain id>-<name>", into the path: as a scope of systemd or as a folder of its own
// making. Pure functions. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace virtmeter {

struct MachineGroup {
  enum class Kind : std::uint8_t {
    none,     // In no machine's group: libvirt counts the process.
    v1,       // Group of the cpuacct hierarchy.
    v2,       // Group of the unified hierarchy.
    foreign,  // In a group that is another machine's or cannot be seen from here. Only libvirt knows.
  };
  Kind kind = Kind::none;
  std::string_view
      path;  // Part of the text, from the root of the hierarchy, with "/libvirt" where it has that.
};

MachineGroup machine_group(std::string_view proc_cgroup, int domain_id);

}  // namespace virtmeter
