// The groups in which libvirt gives statistics, and sets of them: what to ask of a VM. Plain values.
// Thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <initializer_list>

#include "model/catalog.h"

namespace virtmeter {

enum class StatGroup : std::uint8_t { state, cpu, balloon, vcpu, interface, block };

class GroupSet {
 public:
  constexpr GroupSet() = default;
  constexpr GroupSet(std::initializer_list<StatGroup> groups) {
    for (const StatGroup group : groups) add(group);
  }

  constexpr void add(StatGroup group) { bits_ = static_cast<std::uint8_t>(bits_ | bit(group)); }
  constexpr bool has(StatGroup group) const { return (bits_ & bit(group)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }

  // Whether libvirt goes to the VM's QEMU for any of them, which may hang. CPU time, too, since libvirt 8.9.
  constexpr bool need_monitor() const {
    return has(StatGroup::cpu) || has(StatGroup::balloon) || has(StatGroup::vcpu) || has(StatGroup::block);
  }

  friend constexpr auto operator<=>(const GroupSet&, const GroupSet&) = default;

 private:
  static constexpr std::uint8_t bit(StatGroup group) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned int>(group));
  }

  std::uint8_t bits_ = 0;
};

inline constexpr GroupSet kAllGroups = {StatGroup::state, StatGroup::cpu,       StatGroup::balloon,
                                        StatGroup::vcpu,  StatGroup::interface, StatGroup::block};
// What libvirt tells without asking the VM's QEMU.
inline constexpr GroupSet kGroupsWithoutMonitor = {StatGroup::state, StatGroup::interface};

// The group that gives a row of a VM, a NIC or a disk that is read.
constexpr StatGroup group_of(MetricId id) {
  if (scope_of(id) == Scope::nic) return StatGroup::interface;
  if (scope_of(id) == Scope::disk) return StatGroup::block;
  const std::string_view key = metric(id).origin.bulk;
  const std::string_view prefix = key.substr(0, key.find('.'));
  if (prefix == "cpu") return StatGroup::cpu;
  if (prefix == "balloon") return StatGroup::balloon;
  if (prefix == "vcpu") return StatGroup::vcpu;
  return StatGroup::state;
}

}  // namespace virtmeter
