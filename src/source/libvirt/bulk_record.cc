#include "source/libvirt/bulk_record.h"

#include <algorithm>
#include <optional>

#include "source/libvirt/stat_key.h"
#include "source/libvirt/typed_param.h"

namespace virtmeter {
namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

template <Scope S>
void set_rows(Values<S>& values, std::span<const MetricId> rows, const virTypedParameter& param) {
  for (const MetricId id : rows) values.set_unsigned(id, as_unsigned(param));
}

// Leads from a device's place in the record to its place in the layout. The keys of one device lie side by
// side, so the last answer nearly always serves again.
class SlotFinder {
 public:
  SlotFinder(std::span<const BulkRecord::Device> devices, const std::vector<std::string>& names)
      : devices_(devices), names_(names) {}

  std::optional<std::size_t> find(std::uint32_t index) {
    if (last_index_ != std::int64_t{index}) {
      last_index_ = index;
      last_slot_ = search(index);
    }
    return last_slot_;
  }

 private:
  std::optional<std::size_t> search(std::uint32_t index) const {
    const auto device =
        std::find_if(devices_.begin(), devices_.end(), [&](const auto& d) { return d.index == index; });
    if (device == devices_.end()) return std::nullopt;
    const auto name = std::find(names_.begin(), names_.end(), device->name);
    if (name == names_.end()) return std::nullopt;
    return static_cast<std::size_t>(name - names_.begin());
  }

  std::span<const BulkRecord::Device> devices_;
  const std::vector<std::string>& names_;
  std::int64_t last_index_ = -1;
  std::optional<std::size_t> last_slot_;
};

template <Scope S>
Absence first_missing(const Values<S>& device) {
  const bool any = [&] {
    for (MetricId id = Values<S>::kRows.first; id < Values<S>::kRows.end; ++id) {
      if (device.has(id)) return true;
    }
    return false;
  }();
  // Some of it was read: the rest is what this hypervisor does not count. Nothing was: the device has gone.
  return any ? Absence::unsupported : Absence::device_gone;
}

}  // namespace

BulkRecord::BulkRecord(std::span<const virTypedParameter> params) : params_(params) {
  for (const virTypedParameter& param : params_) note_key(key_of(param), param);
}

void BulkRecord::note_key(std::string_view key, const virTypedParameter& param) {
  if (param.type == VIR_TYPED_PARAM_STRING) return note_name(key, param.value.s);
  if (key == "state.state") paused_ = param.value.i == VIR_DOMAIN_PAUSED;
  if (key == "state.reason") groups_.starting = paused_ && param.value.i == VIR_DOMAIN_PAUSED_STARTING_UP;
  if (key == "cpu.time") groups_.cpu = true;
  if (key == "cpu.user") groups_.user_time = true;
  if (key == "balloon.current") groups_.balloon = true;
  if (key == "balloon.rss") groups_.rss = true;
  if (key == "vcpu.current") groups_.vcpu = true;
  if (key == "net.count") groups_.nics = true;
  if (key == "block.count") groups_.disks = true;
  if (groups_.disk_named && !groups_.disk_counted && starts_with(key, kDiskPrefix)) {
    const auto disk = split_device_key(key, kDiskPrefix);
    groups_.disk_counted = disk && !rows_of_disk_key(disk->rest).empty();
  }
}

void BulkRecord::note_name(std::string_view key, const char* name) {
  if (name == nullptr) return;
  const auto nic = split_device_key(key, kNicPrefix);
  if (nic && nic->rest == "name") nics_.push_back({nic->index, name});
  const auto disk = split_device_key(key, kDiskPrefix);
  if (!disk || disk->rest != "name") return;
  disks_.push_back({disk->index, name});
  groups_.disk_named = true;
}

std::uint64_t BulkRecord::device_fingerprint() const {
  std::uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a.
  const auto mix = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    hash = (hash ^ 0xFFu) * 0x100000001B3u;
  };
  for (const Device& nic : nics_) mix(nic.name);
  mix("/");
  for (const Device& disk : disks_) mix(disk.name);
  return hash;
}

void BulkRecord::fill(VmSample& vm) const {
  SlotFinder nic_slots(nics_, vm.layout->nics);
  SlotFinder disk_slots(disks_, vm.layout->disks);
  for (const virTypedParameter& param : params_) {
    const std::string_view key = key_of(param);
    if (starts_with(key, kNicPrefix)) {
      const auto device = split_device_key(key, kNicPrefix);
      const auto slot = device ? nic_slots.find(device->index) : std::nullopt;
      if (slot) set_rows(vm.nics[*slot], rows_of_nic_key(device->rest), param);
    } else if (starts_with(key, kDiskPrefix)) {
      const auto device = split_device_key(key, kDiskPrefix);
      const auto slot = device ? disk_slots.find(device->index) : std::nullopt;
      if (slot) set_rows(vm.disks[*slot], rows_of_disk_key(device->rest), param);
    } else {
      set_rows(vm.values, rows_of_vm_key(key), param);
    }
  }
}

void explain_after_bulk(const RecordGroups& groups, VmSample& vm) {
  // What is missing of a group that was answered: held back by another job, or not told by the guest's
  // driver.
  vm.values.explain_unread(groups.monitor_skipped() ? Absence::busy : Absence::not_reported);
  for (NicValues& nic : vm.nics) nic.explain_unread(first_missing(nic));
  for (DiskValues& disk : vm.disks) {
    disk.explain_unread(groups.monitor_skipped() ? Absence::busy : first_missing(disk));
  }
}

}  // namespace virtmeter
