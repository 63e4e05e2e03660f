#include "daemon/guest_memory.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

VmSample make_vm(const std::string& name, std::int64_t state, Absence memory) {
  auto layout = std::make_shared<VmLayout>();
  layout->name = name;
  VmSample vm;
  vm.layout = layout;
  vm.values.set_integer(metric_id("vm_totals.state"), state);
  if (memory != Absence::none)
    vm.values.set_absent(metric_id("vm_totals.memusable"), memory);
  else
    vm.values.set_integer(metric_id("vm_totals.memusable"), 1);
  return vm;
}

TEST(GuestMemory, NamesTheRunningVmsThatReportNone) {
  Cycle cycle;
  cycle.vms = {make_vm("web", 1, Absence::none), make_vm("db\x1b", 1, Absence::not_reported),
               make_vm("paused", 3, Absence::not_reported), make_vm("held", 1, Absence::busy)};
  const auto advice = advise_on_guest_memory(cycle);
  ASSERT_TRUE(advice);
  EXPECT_EQ(advice->vms, 1u);
  EXPECT_EQ(
      advice->what,
      "W201 guest memory is not available for 1 of 4 VMs (db?): the guest's balloon driver reports nothing");
}

TEST(GuestMemory, HasNothingToSayWhenAllReport) {
  Cycle cycle;
  cycle.vms = {make_vm("web", 1, Absence::none)};
  EXPECT_FALSE(advise_on_guest_memory(cycle));
}

}  // namespace
}  // namespace virtmeter
