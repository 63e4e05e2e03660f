// Derivation: what follows from two cycles of one VM. A rate is made only where it is honest: both values
// were read, the VM is in the same life, no counter of any device went back, the devices are the same ones,
// and the gap is not longer than a few intervals. Everything else stays absent. Intervals come from the boot
// clock of the two readings. While the same VMs come in the same order, a VM is found by its place and
// nothing is allocated. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "model/cycle.h"

namespace virtmeter {

class Deriver {
 public:
  // Two readings further apart than `gap_max` are not bridged by one average.
  explicit Deriver(std::chrono::nanoseconds gap_max) : gap_max_(gap_max) {}

  // From the next derive() on.
  void set_gap_max(std::chrono::nanoseconds gap_max) { gap_max_ = gap_max; }

  // Fills the derived values of a VM of the cycle at hand from what is remembered.
  void derive(VmSample& vm);

  // Makes `cycle` the last one. Of the cycles before only the samples of VMs that are not in it are kept, and
  // those no longer than the gap.
  void remember(std::shared_ptr<const Cycle> cycle, BootTime now);

 private:
  // Where each VM of a cycle stands.
  struct Place {
    Uuid uuid;
    std::uint32_t index = 0;

    friend auto operator<=>(const Place&, const Place&) = default;
  };
  using Places = std::vector<Place>;

  const VmSample* find_before(const Uuid& uuid);
  bool expect_at(std::size_t index, const Uuid& uuid) const;
  void keep_left_out(const Cycle& cycle, BootTime now);
  static void list_places(const Cycle& cycle, Places& places);
  static const Place* find_place(const Places& places, const Uuid& uuid);

  std::chrono::nanoseconds gap_max_;
  std::shared_ptr<const Cycle> last_;
  std::size_t expected_ = 0;  // Where the next VM stood in last_, if nothing has changed.
  std::size_t found_ = 0;     // How many VMs of last_ were met again.
  Places places_;             // Of last_, when a VM was not where it was expected.
  bool places_listed_ = false;
  Places places_now_;
  std::unordered_map<Uuid, VmSample, UuidHash> left_out_;  // Of earlier cycles, not in last_.
};

// The derived values of `now` against an earlier sample of the same life of the same VM.
void derive_features(VmSample& now, const VmSample& before);

}  // namespace virtmeter
