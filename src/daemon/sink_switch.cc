#include "daemon/sink_switch.h"

namespace virtmeter {
namespace {

void add(SendCost& total, const SendCost& cost) {
  total.requests += cost.requests;
  total.raw_bytes += cost.raw_bytes;
  total.wire_bytes += cost.wire_bytes;
}

}  // namespace

void SinkSwitch::replace(std::unique_ptr<Sink> sink) {
  const MutexLock lock(mutex_);
  next_ = std::move(sink);
  sink_->cancel();
  if (cancelled_) next_->cancel();
}

// The sink to use now. Its name and target were shown since replace() already.
Sink& SinkSwitch::current() {
  std::unique_ptr<Sink> old;
  const MutexLock lock(mutex_);
  if (next_) {
    old = std::move(sink_);
    sink_ = std::move(next_);
  }
  return *sink_;
}

SendResult SinkSwitch::send(const Batch& batch) {
  SendCost spent;
  for (;;) {
    SendResult result = current().send(batch);
    add(spent, result.cost);
    result.cost = spent;
    if (result.verdict == Verdict::delivered) return result;
    const MutexLock lock(mutex_);
    // Whatever the old sink objected to, it is not asked any more.
    if (!next_) return result;
  }
}

Status SinkSwitch::check() { return current().check(); }

std::string_view SinkSwitch::name() const {
  const MutexLock lock(mutex_);
  return newest().name();
}

std::string SinkSwitch::target() const {
  const MutexLock lock(mutex_);
  return newest().target();
}

void SinkSwitch::cancel() {
  const MutexLock lock(mutex_);
  cancelled_ = true;
  sink_->cancel();
  if (next_) next_->cancel();
}

}  // namespace virtmeter
