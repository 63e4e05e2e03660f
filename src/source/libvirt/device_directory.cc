#include "source/libvirt/device_directory.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace virtmeter {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool same_devices(std::span<const BulkRecord::Device> recorded, const std::vector<std::string>& listed,
                  const std::vector<std::string>& also_known) {
  const bool all_known = std::all_of(recorded.begin(), recorded.end(), [&](const auto& device) {
    return contains(listed, device.name) || contains(also_known, device.name);
  });
  return all_known && std::all_of(listed.begin(), listed.end(), [&](const std::string& name) {
           return std::any_of(recorded.begin(), recorded.end(),
                              [&](const auto& device) { return device.name == name; });
         });
}

bool agrees(const BulkRecord& record, const CachedVm& cached) {
  const RecordGroups& groups = record.groups();
  return (!groups.nics || same_devices(record.nics(), cached.layout->nics, {})) &&
         (!groups.disks || same_devices(record.disks(), cached.layout->disks, cached.other_disks));
}

std::shared_ptr<VmLayout> make_layout(const LiveVm& live) {
  auto layout = std::make_shared<VmLayout>();
  layout->uuid = live.uuid;
  layout->uuid_text = live.uuid.text();
  layout->domain_id = live.domain_id;
  layout->name = live.name;
  return layout;
}

std::shared_ptr<const VmLayout> layout_without_devices(const LiveVm& live) {
  auto layout = make_layout(live);
  layout->devices_known = false;
  return layout;
}

// A VM may get another name while it runs; the list of VMs says so in every cycle.
void follow_rename(CachedVm& cached, const LiveVm& live) {
  if (cached.layout->name == live.name) return;
  auto layout = std::make_shared<VmLayout>(*cached.layout);
  layout->name = live.name;
  cached.layout = std::move(layout);
}

}  // namespace

std::shared_ptr<const VmLayout> DeviceDirectory::find(const LiveVm& live) {
  bool gone = false;
  CachedVm* cached = cache_.find(live.uuid, live.domain_id, clock_.boot_now());
  if (cached == nullptr) cached = fetch(live, gone);
  if (gone) return nullptr;
  if (cached == nullptr) return layout_without_devices(live);
  follow_rename(*cached, live);
  return cached->layout;
}

std::shared_ptr<const VmLayout> DeviceDirectory::find_known(const LiveVm& live) {
  CachedVm* cached = cache_.find_stale(live.uuid, live.domain_id);
  if (cached == nullptr) return layout_without_devices(live);
  follow_rename(*cached, live);
  return cached->layout;
}

std::shared_ptr<const VmLayout> DeviceDirectory::confirm(const LiveVm& live,
                                                         std::shared_ptr<const VmLayout> layout,
                                                         const BulkRecord& record) {
  CachedVm* cached = cache_.find_stale(live.uuid, live.domain_id);
  if (cached == nullptr || agrees(record, *cached)) return layout;
  // A difference that fresh XML did not mend before is no reason to read it again in each cycle.
  const std::uint64_t fingerprint = record.device_fingerprint();
  if (cached->excused_fingerprint == fingerprint) return layout;
  bool gone = false;
  cached = fetch(live, gone);
  if (gone) return nullptr;
  if (cached == nullptr) return layout;
  if (!agrees(record, *cached)) cached->excused_fingerprint = fingerprint;
  return cached->layout;
}

// What was known before where the XML cannot be read now; null where nothing was.
CachedVm* DeviceDirectory::fetch(const LiveVm& live, bool& gone) {
  ++xml_reads_;
  Result<DeviceList> devices = connector_.get_devices_for_vm(live);
  if (!devices) {
    gone = devices.error().code == Errc::not_found;
    if (gone) return nullptr;
    ++xml_failures_;
    log_.warn(
        fmt::format("xml {}", live.uuid.text()),
        fmt::format("vm {}: device lists not refreshed: {}", printable(live.name), devices.error().message));
    return cache_.find_stale(live.uuid, live.domain_id);
  }
  auto layout = make_layout(live);
  layout->nics = std::move(devices->nics);
  layout->disks = std::move(devices->disks);
  CachedVm vm{std::move(layout), std::move(devices->other)};
  if (const CachedVm* before = kept(live)) vm.balloon = before->balloon;
  // Memory comes and goes with devices, too.
  vm.balloon.note_news();
  vm.balloon.set_period(devices->balloon_period);
  return &cache_.put(std::move(vm), clock_.boot_now());
}

void DeviceDirectory::invalidate(const Connector::Invalidations& news) {
  if (news.every_vm) cache_.invalidate_all();
  for (const Uuid& uuid : news.uuids) cache_.invalidate(uuid);
  for (const Uuid& uuid : news.balloons) {
    if (CachedVm* vm = cache_.find_any(uuid)) vm->balloon.note_news();
  }
}

}  // namespace virtmeter
