#include "daemon/guest_memory.h"

#include <fmt/format.h>

#include "base/text.h"

namespace virtmeter {
namespace {

constexpr std::size_t kNamesMax = 5;
constexpr std::int64_t kRunning = 1;

// A paused guest reports nothing new, and a busy one cannot be asked: neither lacks anything.
bool lacks_guest_memory(const VmSample& vm) {
  return vm.values.integer(metric_id("vm_totals.state")) == kRunning &&
         vm.values.absence(metric_id("vm_totals.memusable")) == Absence::not_reported;
}

}  // namespace

std::optional<GuestMemoryAdvice> advise_on_guest_memory(const Cycle& cycle) {
  GuestMemoryAdvice advice;
  std::string names;
  for (const VmSample& vm : cycle.vms) {
    if (!lacks_guest_memory(vm)) continue;
    ++advice.vms;
    if (advice.vms <= kNamesMax) names += (names.empty() ? "" : ", ") + printable(vm.layout->name, 64);
  }
  if (advice.vms == 0) return std::nullopt;
  if (advice.vms > kNamesMax) names += ", ...";
  advice.what = fmt::format(
      "W201 guest memory is not available for {} of {} VMs ({}): the guest's balloon driver reports nothing",
      advice.vms, cycle.vms.size(), names);
  advice.fix =
      "virsh dommemstat NAME --period 10 --live --config (needs write access and a balloon device in the VM)";
  return advice;
}

}  // namespace virtmeter
