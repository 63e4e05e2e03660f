#include "source/kernel/machine_group.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using Kind = MachineGroup::Kind;

void check(std::string_view text, Kind kind, std::string_view path) {
  const MachineGroup group = machine_group(text, 3);
  EXPECT_EQ(group.kind, kind) << text;
  EXPECT_EQ(group.path, path) << text;
}

TEST(MachineGroup, OfSystemdIsItsScope) {
  check("0::/machine.slice/machine-qemu\\x2d3\\x2dweb.scope/libvirt/emulator\n", Kind::v2,
        "/machine.slice/machine-qemu\\x2d3\\x2dweb.scope/libvirt");
  // libvirt before 7.0 made no folder of its own in there.
  check("0::/machine.slice/machine-qemu\\x2d3\\x2dweb.scope/emulator\n", Kind::v2,
        "/machine.slice/machine-qemu\\x2d3\\x2dweb.scope");
  check("0::/machine.slice/machine-qemu\\x2d3\\x2dweb.scope\n", Kind::v2,
        "/machine.slice/machine-qemu\\x2d3\\x2dweb.scope");
}

TEST(MachineGroup, WithoutSystemdIsAFolder) {
  check("0::/machine/qemu-3-web.libvirt-qemu/emulator\n", Kind::v2, "/machine/qemu-3-web.libvirt-qemu");
}

TEST(MachineGroup, OfTheFirstVersionIsInTheHierarchyOfCpuacct) {
  check(
      "9:name=systemd:/machine.slice/machine-qemu\\x2d3\\x2dweb.scope\n"
      "4:cpu,cpuacct:/machine.slice/machine-qemu\\x2d3\\x2dweb.scope/libvirt/emulator\n"
      "0::/machine.slice/machine-qemu\\x2d3\\x2dweb.scope\n",
      Kind::v1, "/machine.slice/machine-qemu\\x2d3\\x2dweb.scope/libvirt");
  check("2:cpuacct:/\n1:cpu:/machine/qemu-3-web.libvirt-qemu\n0::/\n", Kind::none, "");
}

TEST(MachineGroup, IsNoneForAProcessInNoMachine) {
  check("9:name=systemd:/\n2:cpuacct:/\n0::/\n", Kind::none, "");
  check("0::/system.slice/libvirtd.service\n", Kind::none, "");
  check("0::/user.slice/qemu-3-web\n", Kind::none, "");
  check("", Kind::none, "");
}

TEST(MachineGroup, OfAnotherMachineIsForeign) {
  check("0::/machine.slice/machine-qemu\\x2d4\\x2dweb.scope/libvirt\n", Kind::foreign, "");
  check("0::/machine.slice/machine-qemu\\x2d33\\x2dweb.scope/libvirt\n", Kind::foreign, "");
}

TEST(MachineGroup, OutsideOfOurCgroupNamespaceIsForeign) {
  check("0::/../../machine.slice/machine-qemu\\x2d3\\x2dweb.scope/libvirt\n", Kind::foreign, "");
}

TEST(MachineGroup, TextThatIsNoneGivesNone) {
  for (const std::string_view text :
       {"0", "0:", "0::", ":::\n", "\n\n", "0::machine-qemu", "0::/machine-qemu\\x2d.scope\n",
        "0::/machine-qemu\\x2d99999999999999\\x2dx.scope\n", "0::/qemu--web.libvirt-qemu\n"})
    check(text, Kind::none, "");
}

}  // namespace
}  // namespace virtmeter
