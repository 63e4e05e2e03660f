// A libvirt source with the thread "vm-watchdog", which ends its calls that get no answer (call_watch.h). The
// thread lives as long as the object. As Source.
#pragma once

#include <memory>
#include <thread>

#include "source/libvirt/libvirt_source.h"

namespace virtmeter {

class WatchedSource final : public Source {
 public:
  // As LibvirtSource::open().
  static Result<std::unique_ptr<Source>> open(const LibvirtSourceOptions& options, const Clock& clock,
                                              std::unique_ptr<FastReader> fast = {});
  ~WatchedSource() override;
  WatchedSource(const WatchedSource&) = delete;
  WatchedSource& operator=(const WatchedSource&) = delete;

  Status read(std::vector<VmSample>& vms) override { return source_->read(vms); }
  std::string host_name() override { return source_->host_name(); }
  SourceStatus status() const override { return source_->status(); }

 private:
  explicit WatchedSource(const Clock& clock);

  CallWatch watch_;
  std::unique_ptr<LibvirtSource> source_;
  std::thread thread_;
};

}  // namespace virtmeter
