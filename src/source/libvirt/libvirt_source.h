// The libvirt source: one read of every active VM. With a FastReader, in tiers: what the kernel knows is read
// there, and libvirt is asked for the rest only; without one, libvirt gives everything. Failure is local: a
// device's costs that device, a VM's that VM, and a VM whose QEMU does not answer costs what only its QEMU
// knows. read() on one thread; status() thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "source/fast_reader.h"
#include "source/libvirt/health_book.h"
#include "source/libvirt/libvirt_pass.h"
#include "source/source.h"

namespace virtmeter {

class LibvirtSource final : public Source {
 public:
  // Checks the URI; connects at the first read(). `fast` may be null.
  // `watch` must outlive the source, and be run by the time of the first read().
  static Result<std::unique_ptr<LibvirtSource>> open(const LibvirtSourceOptions& options, const Clock& clock,
                                                     CallWatch& watch, std::unique_ptr<FastReader> fast = {});

  // `clock` must outlive the source.
  LibvirtSource(const LibvirtSourceOptions& options, std::unique_ptr<Connector> connector, const Clock& clock,
                std::unique_ptr<FastReader> fast = {});

  Status read(std::vector<VmSample>& vms) override;
  std::string host_name() override { return pass_.host_name(); }
  SourceStatus status() const override { return pass_.status(); }

 private:
  void read_fast();
  void count_tiers();
  void finish(VmReading& reading);
  void deliver(std::vector<VmSample>& vms);
  BalloonMemory::Moment moment_of(const VmReading& reading) const;
  void warn_of_absences(const VmReading& reading);
  void warn_of_device(const VmSample& sample, const std::string& device, Absence absence);

  const LibvirtSourceOptions options_;
  const Clock& clock_;
  std::unique_ptr<FastReader> fast_;  // Null: libvirt gives everything.
  LibvirtPass pass_;
  HealthBook health_;
  BootTime started_;  // The read at hand.
};

}  // namespace virtmeter
