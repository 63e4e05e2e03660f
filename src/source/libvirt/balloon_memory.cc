#include "source/libvirt/balloon_memory.h"

#include "source/libvirt/stat_groups.h"

namespace virtmeter {
namespace {

constexpr bool is_kept(MetricId id) {
  return metric(id).origin.how == How::read && group_of(id) == StatGroup::balloon &&
         id != metric_id("vm_totals.memrss");
}

constexpr std::size_t count_kept() {
  std::size_t count = 0;
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) count += is_kept(id) ? 1 : 0;
  return count;
}

}  // namespace

constexpr std::array<MetricId, BalloonMemory::kRowCount> BalloonMemory::kRows = [] {
  static_assert(count_kept() == kRowCount);
  std::array<MetricId, kRowCount> rows{};
  std::size_t count = 0;
  for (MetricId id = VmValues::kRows.first; id < VmValues::kRows.end; ++id) {
    if (is_kept(id)) rows[count++] = id;
  }
  return rows;
}();

bool BalloonMemory::due(const Moment& moment) const {
  if (news_ || !moment.changes_told) return true;
  if (!moment.runs) return !asked_while_still_;
  // A beat comes a little sooner or later after this one's asking.
  return period_.count() > 0 && moment.now - asked_ + moment.interval / 8 >= period_;
}

void BalloonMemory::keep(const VmValues& values, const Moment& moment) {
  for (std::size_t i = 0; i < kRowCount; ++i) {
    kept_[i] = {values.integer_or_remainder(kRows[i]), values.absence(kRows[i])};
  }
  asked_ = moment.now;
  news_ = false;
  asked_while_still_ = !moment.runs;
}

void BalloonMemory::give(VmValues& values) const {
  for (std::size_t i = 0; i < kRowCount; ++i) {
    if (values.absence(kRows[i]) == Absence::not_read) {
      values.set_remainder(kRows[i], kept_[i].value, kept_[i].absence);
    }
  }
}

}  // namespace virtmeter
