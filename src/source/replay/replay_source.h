// The replay source: plays a recording as one hypervisor with as many VMs as wanted (docs/replay.md). Each VM
// has its own age and pace, and by request VMs restart and devices come and go; all of it follows from the
// seed and the clock, so a run can be repeated, and be faster than real time. While nothing comes or goes a
// read allocates nothing. read() on one thread; status() thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "source/replay/recording.h"
#include "source/replay/replay_options.h"
#include "source/replay/timeline.h"
#include "source/source.h"

namespace virtmeter {

class ReplaySource final : public Source {
 public:
  // Reads the recording that the address names. `clock` must outlive the source.
  static Result<std::unique_ptr<Source>> open(const std::string& address, FileSystem& files,
                                              const Clock& clock);

  // Time begins at the first read.
  ReplaySource(Recording recording, const ReplayOptions& options, const Clock& clock);

  Status read(std::vector<VmSample>& vms) override;
  std::string host_name() override { return "replay"; }
  SourceStatus status() const override { return status_; }

 private:
  struct SimulatedVm {
    const VmTrack* track = nullptr;
    std::uint64_t number = 0;
    std::chrono::nanoseconds age{0};  // When the replay begins.
    double growth = 1;
    Recurrence restarts{0, 0};
    Recurrence plugs{0, 0};
    std::shared_ptr<const VmLayout> layout;
    std::uint64_t life = 0;  // Of the layout, as the next.
    std::uint64_t plugged_key = 0;
  };
  // A device's track, and how it moves beside its VM.
  template <Scope S>
  struct Device {
    const Track<S>* track = nullptr;
    double growth = 1;
  };

  SimulatedVm make_vm(std::uint64_t number) const;
  bool is_copy(const SimulatedVm& vm) const { return vm.number >= recording_.vms.size(); }
  bool read_vm(SimulatedVm& vm, std::chrono::nanoseconds time, VmSample& sample);
  std::shared_ptr<const VmLayout> make_layout(const SimulatedVm& vm, const Life& life,
                                              const Plugged& plugged) const;
  std::size_t nics_of(const SimulatedVm& vm) const;
  std::size_t disks_of(const SimulatedVm& vm) const;
  template <Scope S>
  Device<S> device(const SimulatedVm& vm, const std::vector<Track<S>>& own, std::size_t place) const;

  const Recording recording_;
  const ReplayOptions options_;
  const Clock& clock_;
  SourceStatus status_;
  std::vector<SimulatedVm> vms_;
  // Of the first VM that has any, for VMs that are to have devices but were recorded without.
  const std::vector<Track<Scope::nic>>* spare_nics_ = nullptr;
  const std::vector<Track<Scope::disk>>* spare_disks_ = nullptr;
  bool started_ = false;
  BootTime start_;
};

}  // namespace virtmeter
