// What one beat yields: a Cycle, with a VmSample for every active VM. A VM's layout (who it is, which devices
// it has) is shared between cycles and changes only when libvirt says so; its values are new each time.
// Finished cycles are published as shared_ptr<const Cycle> and never change again. Not thread-safe before
// that.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/health.h"
#include "model/values.h"

namespace virtmeter {

// 16 bytes as in RFC 4122.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
  std::string text() const;  // "2f0e2f3a-....", 36 characters, lower case.
};

// Of 36 characters with hyphens, in either case; anything else is none.
std::optional<Uuid> parse_uuid(std::string_view text);

struct UuidHash {
  std::size_t operator()(const Uuid& uuid) const;
};

// Names are as the hypervisor says them: strangers' bytes, to be escaped at each edge.
struct VmLayout {
  Uuid uuid;
  int domain_id = -1;  // libvirt's id: a new one for each life of the VM.
  std::string name;
  std::string uuid_text;
  std::vector<std::string> nics;   // Target names ("vnet0"), in the order of the XML, each once.
  std::vector<std::string> disks;  // Target names ("vda"), likewise.
  bool devices_known = true;       // False: the device lists could not be read, so they say nothing.

  // About what this layout and its strings occupy.
  std::size_t bytes() const;
};

struct VmSample {
  std::shared_ptr<const VmLayout> layout;
  // When the values were read: the middle of the call. Memory as the hypervisor and the guest tell it and the
  // disks may be of another moment than the rest.
  BootTime read_at;
  BootTime memory_read_at;
  BootTime disks_read_at;
  VmValues values;
  std::vector<NicValues> nics;    // One per layout->nics.
  std::vector<DiskValues> disks;  // One per layout->disks.
  HealthValues health;            // Without health_code where there is nothing to be told.
};

// Makes `sample` one of `layout` with nothing read yet. Keeps its storage: a VM whose devices are as many as
// before costs no allocation.
void begin_sample(VmSample& sample, std::shared_ptr<const VmLayout> layout);

// All values are of one moment.
void set_read_at(VmSample& sample, BootTime moment);

// Asks the processor for what a sample points to, before it is needed: with thousands of VMs nothing of it is
// in a cache any more.
inline void prefetch(const VmSample& sample) {
  __builtin_prefetch(sample.layout.get());
  const auto lines_of = [](const auto& devices) {
    const char* const begin = reinterpret_cast<const char*>(devices.data());
    const std::size_t bytes = devices.size() * sizeof(devices[0]);
    for (std::size_t at = 0; at < bytes && at < 512; at += 64) __builtin_prefetch(begin + at);
  };
  lines_of(sample.nics);
  lines_of(sample.disks);
}

struct Cycle {
  std::uint64_t number = 0;  // 1 is the first of this process.
  WallTime time;             // One for all its lines, whole milliseconds.
  std::string host;          // Value of the tag host; empty: no such tag.
  std::vector<VmSample> vms;
  CollectorValues collector;
};

// The name of libvirt's state code in the contract's words; "unknown" for any other.
std::string_view state_name(std::int64_t code);
bool is_known_state(std::int64_t code);

// What a label row says for the code in the row it stands on.
std::string_view label_text(MetricId label, std::int64_t code);

// Fills what follows from the readings of the same cycle: copies and sums over the devices.
void complete(VmSample& vm);

// How many values of the four core measurements are absent, by reason; no_rate does not count.
using AbsenceCounts = std::array<std::uint64_t, kAbsenceCount>;
void count_absences(const VmSample& vm, AbsenceCounts& counts);

}  // namespace virtmeter
