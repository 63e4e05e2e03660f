#include "source/libvirt/patience.h"

#include <algorithm>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// A slow host's: before the first answer nothing is known, and the first is slower than the others.
constexpr nanoseconds kPerVmAtFirst = milliseconds(20);
constexpr int kMeanWeight = 8;  // The newest request counts an eighth.
constexpr nanoseconds kUsualMin = milliseconds(1000);
constexpr int kUsualFactor = 8;
constexpr nanoseconds kSearchingMin = milliseconds(250);
constexpr int kSearchingFactor = 4;

}  // namespace

void Patience::note(nanoseconds took, std::size_t vms) {
  if (vms == 0) return;
  const nanoseconds per_vm = std::max(took / static_cast<std::int64_t>(vms), nanoseconds(1));
  per_vm_ = per_vm_ == nanoseconds(0) ? per_vm : per_vm_ + (per_vm - per_vm_) / kMeanWeight;
}

nanoseconds Patience::expected(std::size_t vms) const {
  return (per_vm_ == nanoseconds(0) ? kPerVmAtFirst : per_vm_) * static_cast<std::int64_t>(vms);
}

nanoseconds Patience::beat_part() const { return std::max(bounds_.interval / 2, kSearchingMin); }

nanoseconds Patience::usual(std::size_t vms) const {
  const nanoseconds wanted = std::max(kUsualMin, kUsualFactor * expected(vms));
  const nanoseconds most = std::max(beat_part(), kSearchingFactor * expected(vms));
  return std::min({wanted, most, bounds_.timeout});
}

nanoseconds Patience::searching(std::size_t vms) const {
  return std::min(std::max(kSearchingMin, kSearchingFactor * expected(vms)), bounds_.timeout);
}

nanoseconds Patience::single_call() const {
  return std::min(std::max(bounds_.interval / 2, kUsualMin), bounds_.timeout);
}

nanoseconds Patience::search(std::size_t vms) const {
  return std::max(bounds_.interval * 4 / 5, 2 * expected(vms));
}

}  // namespace virtmeter
