// Bulk statistics of many VMs, of which any may hang. A request is given up when it takes far longer than
// requests do; then the VM that holds it is found, put into quarantine, and the others are asked again, one
// by one, in the same cycle: for a hung VM costs one a quarter of a second, and a request for many costs all
// of it. What the cycle has no time left for, and what would take libvirtd's last threads, is read without
// the VM's QEMU. Collector thread only.
#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "base/function_ref.h"
#include "source/libvirt/hang_finder.h"
#include "source/libvirt/patience.h"
#include "source/libvirt/single_calls.h"
#include "source/libvirt/vm_reading.h"

namespace virtmeter {

class BulkReader {
 public:
  using Readings = std::span<VmReading* const>;

  // Calls of ours that wait in libvirtd: it has 20 threads (max_workers), and other clients need some.
  static constexpr std::size_t kWaitingCallsMax = 16;
  // From so many on, VMs are asked one by one: the next to hang is expected.
  static constexpr std::size_t kWaitingCallsMany = 12;

  BulkReader(const ReadTools& tools, HangFinder& finder, SingleCalls& singles, Patience::Bounds bounds)
      : tools_(tools), finder_(finder), singles_(singles), patience_(bounds) {}

  // A new connection: bulk may be there.
  void reset() { unsupported_ = false; }

  void begin_cycle(std::size_t vms);

  // Reads all of `chunk`, whose layouts are in place and which want the same groups. Afterwards each has a
  // record, or hangs, or has vanished, or its turn did not come, or bulk has nothing to say of it.
  void read(Readings chunk);

  // Another client's question holds a VM for milliseconds, so a second one at the end of the cycle nearly
  // always finds it free. A longer job (migration, snapshot) holds it still.
  void ask_busy_again(std::span<VmReading> readings);

  // Lets those out of quarantine that answer again, and reads them.
  void try_hung(Readings hung);

  // Reads those that are not read whole, as far as that goes.
  void read_without_monitor(std::span<VmReading> readings);

  std::chrono::nanoseconds patience(std::size_t vms) const { return patience_.usual(vms); }

 private:
  enum class Attempt { first, second };
  using Params = std::span<const virTypedParameter>;
  using TakeRecord = FunctionRef<void(VmReading&, Params)>;
  struct Answer {
    Status status;
    std::chrono::nanoseconds took;
  };

  Answer ask(Readings readings, GroupSet groups, std::chrono::nanoseconds limit, TakeRecord take);
  Answer ask(Readings readings, GroupSet groups, std::chrono::nanoseconds limit);
  void take_record(VmReading& reading, Params params);
  bool fill_by_plan(VmReading& reading, Params params);
  void understand(VmReading& reading, Params params);
  void ask_again(Readings busy);
  void read_together(Readings chunk, std::chrono::nanoseconds limit, Attempt attempt);
  void halve(Readings chunk, const Error& error);
  void search(Readings chunk, std::chrono::nanoseconds waited, Attempt attempt);
  void read_one_by_one(Readings chunk);
  void read_alone(VmReading& reading);
  bool try_one(VmReading& reading, Quarantine::Entry& entry);
  bool time_is_up() const { return tools_.clock.boot_now() >= search_until_; }

  const ReadTools tools_;
  HangFinder& finder_;
  SingleCalls& singles_;
  Patience patience_;
  bool unsupported_ = false;
  bool searching_ = false;      // A VM was found hung: one by one from here.
  bool found_hung_ = false;     // In this cycle.
  bool left_some_out_ = false;  // In this cycle.
  BootTime read_at_;            // Of the records at hand.
  ShapeStore shapes_;
  std::vector<const LiveVm*> asked_;  // In the request at hand; keeps its storage.
  BootTime search_until_;
  BootTime quiet_until_;  // After a request that should never wait and did.
};

}  // namespace virtmeter
