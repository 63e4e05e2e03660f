// What a VM's balloon group said when it was last asked for, and whether there can be news of it. Asking
// costs the VM's QEMU two commands, and most of the time the answer is the same: current and maximum memory
// change with an event, the guest's statistics once in their period, and those of a VM that does not run
// never. Between two askings the kept values are what asking would return. Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>

#include "base/clock.h"
#include "model/values.h"

namespace virtmeter {

class BalloonMemory {
 public:
  struct Moment {
    BootTime now;
    bool runs = true;                      // Else its guest tells nothing new.
    bool changes_told = true;              // By events.
    std::chrono::nanoseconds interval{0};  // From beat to beat.
  };

  // How often the guest tells its statistics; 0: never.
  void set_period(std::chrono::nanoseconds period) { period_ = period; }

  // An event, or a domain XML that was read anew: the next asking is due.
  void note_news() { news_ = true; }

  bool due(const Moment& moment) const;

  // Keeps what was asked for just now.
  void keep(const VmValues& values, const Moment& moment);

  // Sets what is kept in those rows that nobody has set. Not the resident memory, which always has news.
  void give(VmValues& values) const;

 private:
  struct Kept {
    std::int64_t value = 0;
    Absence absence = Absence::not_read;
  };
  static constexpr std::size_t kRowCount = 10;
  static const std::array<MetricId, kRowCount> kRows;

  std::array<Kept, kRowCount> kept_{};
  std::chrono::nanoseconds period_{0};
  BootTime asked_;
  bool news_ = true;
  bool asked_while_still_ = false;  // Since it stopped running.
};

}  // namespace virtmeter
