// SinkSwitch: the sink that delivery sends to, which may become another one while it does: for a reload. What
// was asked of the old sink and not answered as delivered is sent to the new one, so no line is lost; the
// queue or spool behind delivery does not notice. As every sink: the delivery thread only, but for name(),
// target(), cancel() and, here, replace() and progress, which are thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/mutex.h"
#include "sink/sink.h"

namespace virtmeter {

class SinkSwitch final : public Sink {
 public:
  explicit SinkSwitch(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {}

  // From the next send() on, `sink` gets the lines; a send() under way is ended and repeated there.
  void replace(std::unique_ptr<Sink> sink) EXCLUDES(mutex_);

  std::string_view name() const override EXCLUDES(mutex_);
  std::string target() const override EXCLUDES(mutex_);
  SendResult send(const Batch& batch) override EXCLUDES(mutex_);
  Status check() override EXCLUDES(mutex_);
  void cancel() override EXCLUDES(mutex_);

 private:
  Sink& current() EXCLUDES(mutex_);
  const Sink& newest() const REQUIRES(mutex_) { return next_ ? *next_ : *sink_; }

  mutable Mutex mutex_;
  // Replaced by the delivery thread only, which therefore may use it without the lock.
  std::unique_ptr<Sink> sink_ GUARDED_BY(mutex_);
  std::unique_ptr<Sink> next_ GUARDED_BY(mutex_);
  bool cancelled_ GUARDED_BY(mutex_) = false;
};

}  // namespace virtmeter
