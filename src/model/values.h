// Values<scope>: one value per catalog row of a scope, each either present or absent for a reason. Absent is
// not zero: get() has no answer then. 8 bytes and a reason a row, no allocation. Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "model/catalog.h"

namespace virtmeter {

// Why a value is not there; none: it is.
enum class Absence : std::uint8_t {
  not_read,      // Nobody has given it (yet).
  none,          // It is present.
  unsupported,   // This hypervisor or libvirt never gives it.
  not_reported,  // The guest or its driver does not report it.
  busy,          // Another job held the VM, so that its monitor could not be asked.
  call_failed,   // The call that asks for it failed.
  device_gone,   // libvirt lists the device but has no statistics of it.
  out_of_range,  // The hypervisor sent a number that cannot be one.
  partial_sum,   // Not every part of the sum was read.
  hung,          // The VM's QEMU does not answer.
  no_rate,       // No honest rate: first sample, reset, gap, or a value missing.
};
inline constexpr std::size_t kAbsenceCount = 11;

std::string_view name_of(Absence absence);

template <Scope S>
class Values {
 public:
  static constexpr RowRange kRows = rows_of(S);

  bool has(MetricId id) const { return absence(id) == Absence::none; }
  // Whether every row of the range is present; one comparison, for a caller who must say why not only then.
  bool has_all(RowRange rows) const {
    CHECK(rows.first >= kRows.first && rows.first <= rows.end && rows.end <= kRows.end);
    std::uint8_t differing = 0;
    for (std::size_t i = rows.first - kRows.first; i < static_cast<std::size_t>(rows.end - kRows.first); ++i)
      differing |= static_cast<std::uint8_t>(static_cast<std::uint8_t>(absences_[i]) ^
                                             static_cast<std::uint8_t>(Absence::none));
    return differing == 0;
  }

  Absence absence(MetricId id) const { return absences_[slot(id)]; }

  std::optional<std::int64_t> integer(MetricId id) const {
    if (!has(id)) return std::nullopt;
    return static_cast<std::int64_t>(bits_[slot(id)]);
  }
  std::optional<double> real(MetricId id) const {
    if (!has(id)) return std::nullopt;
    return std::bit_cast<double>(bits_[slot(id)]);
  }

  // What the policy "zero" writes for an absent integer: 0, or for a sum the parts that were read.
  std::int64_t integer_or_remainder(MetricId id) const { return static_cast<std::int64_t>(bits_[slot(id)]); }

  void set_integer(MetricId id, std::int64_t value) {
    bits_[slot(id)] = static_cast<std::uint64_t>(value);
    absences_[slot(id)] = Absence::none;
  }
  // libvirt counts without sign; what does not fit 63 bits is a driver's -1, not a measurement.
  void set_unsigned(MetricId id, std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(INT64_MAX)) return set_absent(id, Absence::out_of_range);
    set_integer(id, static_cast<std::int64_t>(value));
  }
  void set_real(MetricId id, double value) {
    bits_[slot(id)] = std::bit_cast<std::uint64_t>(value);
    absences_[slot(id)] = Absence::none;
  }
  void set_absent(MetricId id, Absence why) { set_remainder(id, 0, why); }
  void set_all_absent(RowRange rows, Absence why) {
    CHECK(rows.first >= kRows.first && rows.first <= rows.end && rows.end <= kRows.end);
    const auto first = static_cast<std::size_t>(rows.first - kRows.first);
    std::fill_n(bits_.begin() + static_cast<std::ptrdiff_t>(first), rows.size(), 0);
    std::fill_n(absences_.begin() + static_cast<std::ptrdiff_t>(first), rows.size(), why);
  }
  void set_remainder(MetricId id, std::int64_t parts_read, Absence why) {
    bits_[slot(id)] = static_cast<std::uint64_t>(parts_read);
    absences_[slot(id)] = why;
  }

  // Gives every row that nobody has set the reason `why`.
  void explain_unread(Absence why) {
    for (Absence& absence : absences_) {
      if (absence == Absence::not_read) absence = why;
    }
  }

 private:
  static std::size_t slot(MetricId id) {
    CHECK(id >= kRows.first && id < kRows.end);
    return static_cast<std::size_t>(id - kRows.first);
  }

  std::array<std::uint64_t, kRows.size()> bits_{};
  std::array<Absence, kRows.size()> absences_{};
};

using VmValues = Values<Scope::vm>;
using NicValues = Values<Scope::nic>;
using DiskValues = Values<Scope::disk>;
using HealthValues = Values<Scope::health>;
using CollectorValues = Values<Scope::collector>;
using SinkValues = Values<Scope::sink>;

}  // namespace virtmeter
