// LineProtocolEncoder: a Cycle as InfluxDB line protocol, by the catalog. For each VM vm_metrics, vm_features
// (from the second cycle on), vm_devices per NIC, then per disk, vm_totals, vm_health (only where there is
// something to tell); then collector_latency; all with the cycle's timestamp in nanoseconds. The text of a
// VM's tags is built once per layout and kept while the VM is there, so use one encoder for all cycles of one
// hypervisor. Steady state allocates nothing. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/cycle.h"

namespace virtmeter {

// What is written for a value of the core measurements that was not read. Trends and latencies are left out
// under both.
enum class MissingPolicy : std::uint8_t {
  zero,  // 0i; for a sum what the parts that were read add up to; the state's name is "unknown".
  omit,  // No field; a line without any field is not written.
};

class LineProtocolEncoder {
 public:
  struct Options {
    MissingPolicy missing = MissingPolicy::zero;
  };

  explicit LineProtocolEncoder(Options options) : options_(options) {}

  // Appends the cycle's lines to `out`, each with its LF, and returns their number.
  std::size_t encode(const Cycle& cycle, std::string& out);

  // The VMs whose tags are held, and about what their text occupies.
  std::size_t cached_vms() const { return heads_.size(); }
  std::size_t cached_bytes() const;

 private:
  // The start of each of a VM's lines, measurement and tags, in the order of the lines.
  struct Heads {
    std::shared_ptr<const VmLayout>
        layout;  // Owned, so that its address is not another VM's while we hold it.
    std::string text;
    std::vector<std::size_t> ends;
    std::uint64_t used_in = 0;  // The encode() that used it last.
  };

  const Heads& heads_of(const VmSample& vm);
  void build(Heads& heads) const;
  void make_room(std::size_t bytes);
  // Both write to scratch_ and return the number of lines.
  std::size_t encode_vm(const VmSample& vm, const Heads& heads);
  std::size_t encode_collector(const CollectorValues& values);
  void drop_vanished();

  const Options options_;
  std::string host_;
  std::uint64_t encodes_ = 0;
  std::size_t vms_in_use_ = 0;
  std::size_t bytes_last_ = 0;
  std::unordered_map<const VmLayout*, Heads> heads_;
  std::vector<char> scratch_;         // The lines of one VM before they are appended.
  std::size_t scratch_bytes_ = 0;     // Of scratch_, written.
  std::array<char, 24> timestamp_{};  // " <ns>\n", of the cycle at hand.
  std::size_t timestamp_bytes_ = 0;
};

}  // namespace virtmeter
