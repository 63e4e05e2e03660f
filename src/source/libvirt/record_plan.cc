#include "source/libvirt/record_plan.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "source/libvirt/stat_key.h"
#include "source/libvirt/typed_param.h"

namespace virtmeter {
namespace {

using Params = std::span<const virTypedParameter>;

constexpr std::size_t kDevicesMax = 4096;  // Of a record; more is no VM that QEMU can run.

std::optional<std::uint16_t> place_of(std::span<const BulkRecord::Device> devices, std::uint32_t index) {
  const auto found =
      std::find_if(devices.begin(), devices.end(), [&](const auto& device) { return device.index == index; });
  if (found == devices.end()) return std::nullopt;
  return static_cast<std::uint16_t>(found - devices.begin());
}

template <Scope S>
void set_rows(Values<S>& values, std::span<const MetricId> rows, const virTypedParameter& param) {
  for (const MetricId id : rows) values.set_unsigned(id, as_unsigned(param));
}

}  // namespace

std::shared_ptr<const RecordShape> RecordShape::of(Params params, const BulkRecord& record) {
  if (record.nics().size() > kDevicesMax || record.disks().size() > kDevicesMax) return nullptr;
  auto shape = std::make_shared<RecordShape>();
  shape->steps_.reserve(params.size());
  shape->types_.reserve(params.size());
  for (const virTypedParameter& param : params) {
    const std::string_view key = key_of(param);
    if (key.size() == VIR_TYPED_PARAM_FIELD_LENGTH) return nullptr;  // Without its end.
    Step step = shape->step_of(key, param, record);
    step.key = static_cast<std::uint32_t>(shape->keys_.size());
    step.key_size = static_cast<std::uint32_t>(key.size() + 1);
    shape->keys_ += key;
    shape->keys_ += '\0';
    shape->types_.push_back(param.type);
    shape->steps_.push_back(step);
  }
  shape->keys_.shrink_to_fit();
  return shape;
}

RecordShape::Step RecordShape::step_of(std::string_view key, const virTypedParameter& param,
                                       const BulkRecord& record) const {
  Step step;
  const auto of_device = [&](std::string_view prefix, auto devices, Step::To value, Step::To name) {
    const auto device = split_device_key(key, prefix);
    const auto place = device ? place_of(devices, device->index) : std::nullopt;
    if (!place) return;
    step.device = *place;
    const bool is_name = device->rest == "name" && param.type == VIR_TYPED_PARAM_STRING;
    step.to = is_name ? name : value;
    step.rows = value == Step::To::nic ? rows_of_nic_key(device->rest) : rows_of_disk_key(device->rest);
    if (!is_name && step.rows.empty()) step.to = Step::To::nowhere;
  };
  if (key.substr(0, kNicPrefix.size()) == kNicPrefix) {
    of_device(kNicPrefix, record.nics(), Step::To::nic, Step::To::nic_name);
  } else if (key.substr(0, kDiskPrefix.size()) == kDiskPrefix) {
    of_device(kDiskPrefix, record.disks(), Step::To::disk, Step::To::disk_name);
  } else {
    step.rows = rows_of_vm_key(key);
    if (!step.rows.empty()) step.to = Step::To::vm;
  }
  return step;
}

std::shared_ptr<const RecordShape> ShapeStore::share(std::shared_ptr<const RecordShape> shape) {
  if (shape == nullptr) return shape;
  const auto same =
      std::find_if(shapes_.begin(), shapes_.end(), [&](const auto& known) { return *known == *shape; });
  if (same != shapes_.end()) return *same;
  std::erase_if(shapes_, [](const auto& known) { return known.use_count() == 1; });
  if (shapes_.size() < kShapesMax) shapes_.push_back(shape);
  return shape;
}

RecordPlan::RecordPlan(std::shared_ptr<const RecordShape> shape, const BulkRecord& record,
                       const VmLayout& layout)
    : shape_(std::move(shape)),
      nics_(bind(record.nics(), layout.nics)),
      disks_(bind(record.disks(), layout.disks)),
      groups_(record.groups()) {}

std::vector<RecordPlan::Device> RecordPlan::bind(std::span<const BulkRecord::Device> recorded,
                                                 const std::vector<std::string>& names) {
  std::vector<Device> devices;
  devices.reserve(recorded.size());
  for (const BulkRecord::Device& device : recorded) {
    const auto found = std::find(names.begin(), names.end(), device.name);
    const auto slot = found == names.end() ? -1 : static_cast<std::int32_t>(found - names.begin());
    devices.push_back({std::string(device.name), slot});
  }
  return devices;
}

bool RecordPlan::matches(Params params) const {
  if (shape_ == nullptr || params.size() != shape_->steps_.size()) return false;
  for (std::size_t i = 0; i < params.size(); ++i) {
    const virTypedParameter& param = params[i];
    const RecordShape::Step& step = shape_->steps_[i];
    if (param.type != shape_->types_[i]) return false;
    if (std::memcmp(param.field, shape_->keys_.data() + step.key, step.key_size) != 0) return false;
    if (step.to != RecordShape::Step::To::nic_name && step.to != RecordShape::Step::To::disk_name) continue;
    const auto& devices = step.to == RecordShape::Step::To::nic_name ? nics_ : disks_;
    if (param.value.s == nullptr || devices[step.device].name != param.value.s) return false;
  }
  return true;
}

void RecordPlan::fill(Params params, VmSample& vm) const {
  CHECK(shape_ != nullptr && params.size() == shape_->steps_.size());
  for (std::size_t i = 0; i < params.size(); ++i) {
    const RecordShape::Step& step = shape_->steps_[i];
    if (step.to == RecordShape::Step::To::vm) set_rows(vm.values, step.rows, params[i]);
    if (step.to == RecordShape::Step::To::nic) {
      const std::int32_t slot = nics_[step.device].slot;
      if (slot >= 0) set_rows(vm.nics.at(static_cast<std::size_t>(slot)), step.rows, params[i]);
    }
    if (step.to == RecordShape::Step::To::disk) {
      const std::int32_t slot = disks_[step.device].slot;
      if (slot >= 0) set_rows(vm.disks.at(static_cast<std::size_t>(slot)), step.rows, params[i]);
    }
  }
}

std::size_t RecordPlan::bytes() const {
  std::size_t total = (nics_.capacity() + disks_.capacity()) * sizeof(Device);
  for (const auto* devices : {&nics_, &disks_}) {
    for (const Device& device : *devices) {
      total += device.name.capacity() > 15 ? device.name.capacity() + 1 : 0;
    }
  }
  return total;
}

}  // namespace virtmeter
