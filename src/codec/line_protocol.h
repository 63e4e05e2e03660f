// LineProtocolEncoder: a Cycle as InfluxDB line protocol, by the catalog. For each VM vm_metrics, vm_features
// (from the second cycle on), vm_devices per NIC, then per disk, vm_totals, vm_health (only where there is
// something to tell); then collector_latency; all with the cycle's timestamp in nanoseconds. The text of a
// VM's tags is built once per layout and kept while the VM is there, so use one encoder for all cycles of one
// hypervisor. Steady state allocates nothing. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/cycle.h"

namespace virtmeter {

// What is written for a value of the core measurements that was not read. Trends and latencies are left out
// under both.
enum class MissingPolicy : std::uint8_t {
  zero,  // 0i; for a sum what the parts that were read add up to; the state's name is "unknown".
  omit,  // No field; a line without any field is not written.
};

// What was last written for each row of doubles: a trend that stands still, as that of the memory does most
// of the time, is not turned into text again.
class LastReals {
 public:
  struct Text {
    std::uint64_t bits = 0;
    std::size_t length = 0;  // 0: none yet.
    std::array<char, 32> text{};
  };
  Text& of(MetricId id) { return texts_[id]; }

 private:
  std::array<Text, kMetricCount> texts_{};
};

class LineProtocolEncoder {
 public:
  struct Options {
    MissingPolicy missing = MissingPolicy::zero;
  };

  explicit LineProtocolEncoder(Options options) : options_(options) {}

  // Appends the cycle's lines to `out`, each with its LF, and returns their number.
  std::size_t encode(const Cycle& cycle, std::string& out);

  // The same in pieces that stay in the processor's cache: `piece`, with whatever it holds already, is filled
  // to about kPieceBytes, given away and cleared, again and again. The last piece may be of any size. Returns
  // the number of lines written; of each piece `take` is told the number as well.
  static constexpr std::size_t kPieceBytes = 256u << 10;
  using TakePiece = std::function<void(std::string_view lines, std::size_t line_count)>;
  std::size_t encode_pieces(const Cycle& cycle, std::string& piece, const TakePiece& take);

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
  };

  std::size_t encode_to(const Cycle& cycle, std::string& out, const TakePiece* take);
  void find_heads(const Cycle& cycle);
  Heads build(const std::shared_ptr<const VmLayout>& of) const;
  void make_room(std::size_t bytes);
  // Both write to scratch_ and return the number of lines.
  std::size_t encode_vm(const VmSample& vm, const Heads& heads);
  std::size_t encode_collector(const CollectorValues& values);

  const Options options_;
  std::string host_;
  std::size_t bytes_last_ = 0;
  std::vector<Heads> heads_;  // Of the VMs of the last cycle, in its order.
  LastReals last_reals_;
  std::vector<char> scratch_;         // The lines of one VM before they are appended.
  std::size_t scratch_bytes_ = 0;     // Of scratch_, written.
  std::array<char, 24> timestamp_{};  // " <ns>\n", of the cycle at hand.
  std::size_t timestamp_bytes_ = 0;
};

}  // namespace virtmeter
