// Where each parameter of a VM's bulk record goes, worked out once: the record of a VM has the same keys from
// cycle to cycle, so comparing them is enough, and much cheaper than understanding them. A shape is shared by
// all VMs whose records have the same keys; a plan adds the names of one VM's devices. Not thread-safe.
#pragma once

#include <libvirt/libvirt.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "source/libvirt/bulk_record.h"

namespace virtmeter {

class RecordShape {
 public:
  // Null where a record cannot have one.
  static std::shared_ptr<const RecordShape> of(std::span<const virTypedParameter> params,
                                               const BulkRecord& record);

  friend bool operator==(const RecordShape& a, const RecordShape& b) {
    return a.keys_ == b.keys_ && a.types_ == b.types_;
  }

 private:
  friend class RecordPlan;

  struct Step {
    enum class To : std::uint8_t { nowhere, vm, nic, disk, nic_name, disk_name };
    To to = To::nowhere;
    std::uint16_t device = 0;    // Its place among the record's NICs or disks.
    std::uint32_t key = 0;       // Where it begins in keys_.
    std::uint32_t key_size = 0;  // With its final 0.
    std::span<const MetricId> rows;
  };

  Step step_of(std::string_view key, const virTypedParameter& param, const BulkRecord& record) const;

  std::string keys_;  // Each with a 0 behind it.
  std::vector<int> types_;
  std::vector<Step> steps_;
};

// The shapes that are in use. Bounded: past the bound, a VM has its shape for itself.
class ShapeStore {
 public:
  static constexpr std::size_t kShapesMax = 64;

  // `shape`, or the one that is its equal.
  std::shared_ptr<const RecordShape> share(std::shared_ptr<const RecordShape> shape);

 private:
  std::vector<std::shared_ptr<const RecordShape>> shapes_;
};

class RecordPlan {
 public:
  // Matches nothing.
  RecordPlan() = default;
  RecordPlan(std::shared_ptr<const RecordShape> shape, const BulkRecord& record, const VmLayout& layout);

  // Whether the record has the same keys, and the same devices in the same places.
  bool matches(std::span<const virTypedParameter> params) const;

  // As BulkRecord::fill() and groups(), for a record that matches and a sample of the plan's layout.
  void fill(std::span<const virTypedParameter> params, VmSample& vm) const;
  const RecordGroups& groups() const { return groups_; }

  std::size_t bytes() const;

 private:
  struct Device {
    std::string name;
    std::int32_t slot = -1;  // In the layout; -1: not in it.
  };
  static std::vector<Device> bind(std::span<const BulkRecord::Device> recorded,
                                  const std::vector<std::string>& names);

  std::shared_ptr<const RecordShape> shape_;
  std::vector<Device> nics_;
  std::vector<Device> disks_;
  RecordGroups groups_;
};

}  // namespace virtmeter
