// One record of bulk statistics (virDomainListGetStats): what it says of a VM, by catalog row and device
// name. The record belongs to libvirt; a BulkRecord looks into it and must not outlive it. Not thread-safe.
#pragma once

#include <libvirt/libvirt.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/cycle.h"

namespace virtmeter {

// Which groups the daemon answered for a VM at all. A group without any key is one that this daemon or driver
// does not have; a group with some keys missing is one it could not read just now.
struct RecordGroups {
  bool cpu = false;
  bool user_time = false;
  bool balloon = false;
  bool rss = false;
  bool vcpu = false;
  bool nics = false;
  bool disks = false;
  bool disk_named = false;
  bool disk_counted = false;  // Some disk has its counters.
  bool starting = false;      // Active for libvirt, but its QEMU is not up yet.

  // Whether libvirt skipped the VM's monitor because another job held it (NOWAIT): what only QEMU knows is
  // missing then. QEMU's rss comes from the same step of libvirt and has no other reason to be missing. Where
  // the balloon was not asked for, disks without any counter are the sign; a VM may have such disks for good
  // (vhost-user), and asking again with the balloon tells.
  bool monitor_skipped() const { return balloon ? !rss : disk_named && !disk_counted; }
};

inline constexpr std::string_view kNicPrefix = "net.";
inline constexpr std::string_view kDiskPrefix = "block.";

class BulkRecord {
 public:
  explicit BulkRecord(std::span<const virTypedParameter> params);

  const RecordGroups& groups() const { return groups_; }

  struct Device {
    std::uint32_t index;  // Its place in the record.
    std::string_view name;
  };
  std::span<const Device> nics() const { return nics_; }
  std::span<const Device> disks() const { return disks_; }

  // Changes when a device comes, goes or changes its name.
  std::uint64_t device_fingerprint() const;

  // Sets what the record knows in `vm`, whose layout and device values are in place. Devices meet by name.
  void fill(VmSample& vm) const;

 private:
  void note_key(std::string_view key, const virTypedParameter& param);
  void note_name(std::string_view key, const char* name);

  std::span<const virTypedParameter> params_;
  std::vector<Device> nics_;
  std::vector<Device> disks_;
  RecordGroups groups_;
  bool paused_ = false;  // While the keys are noted: the state stands before its reason.
};

// Gives every value that is still unread after a record, and the calls that stood in for its
// missing groups, the reason that the record shows.
void explain_after_bulk(const RecordGroups& groups, VmSample& vm);

}  // namespace virtmeter
