// The per-domain calls: they stand in for the groups that bulk statistics lack, and read what a VM whose QEMU
// does not answer has to tell all the same. A call that the driver does not have is not repeated on that
// connection. Collector thread only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "source/libvirt/hang_finder.h"
#include "source/libvirt/vm_reading.h"

namespace virtmeter {

class SingleCalls {
 public:
  SingleCalls(const ReadTools& tools, HangFinder& finder) : tools_(tools), finder_(finder) {}

  // A new connection: all calls may be there.
  void reset() { unsupported_.clear(); }

  // Fills what the VM's record, or its absence, has left open, and gives the rest its reason.
  void complete(VmReading& reading);

  // The same for a VM that is not read whole: asks nothing that needs its QEMU.
  void complete_without_monitor(VmReading& reading);

 private:
  struct Missing;
  void fill_vm_groups(VmReading& reading, const Missing& missing);
  void fill_devices(VmReading& reading, const Missing& missing);
  template <typename Call>
  void ask(VmReading& reading, std::string_view call_name, Call call);
  template <Scope S, typename Call>
  void ask_device(VmReading& reading, const std::string& device, Values<S>& values, Call call);
  bool may_ask(const VmReading& reading) const;
  void note_timeout(VmReading& reading, BootTime asked);
  bool is_unsupported(std::string_view call_name) const;

  const ReadTools tools_;
  HangFinder& finder_;
  std::vector<std::string> unsupported_;
};

}  // namespace virtmeter
