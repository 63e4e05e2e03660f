#include "sink/poison_watch.h"

namespace virtmeter {

void PoisonWatch::failed(const Batch& batch) {
  if (batch.first_line != first_line_ || batch.end_line() != end_line_) failures_ = 0;
  first_line_ = batch.first_line;
  end_line_ = batch.end_line();
  ++failures_;
}

bool PoisonWatch::suspects(const Batch& batch) const {
  if (batch.first_line != first_line_ || batch.end_line() != end_line_) return false;
  return failures_ >= (is_condemned(batch) ? kFailuresOfPart : kFailures);
}

void PoisonWatch::condemn(const Batch& batch) {
  failures_ = 0;
  // A part of what is condemned already leaves the whole condemned: its other parts come next.
  if (is_condemned(batch)) return;
  condemned_first_ = batch.first_line;
  condemned_end_ = batch.end_line();
}

}  // namespace virtmeter
