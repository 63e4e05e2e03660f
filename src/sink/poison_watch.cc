#include "sink/poison_watch.h"

namespace virtmeter {

bool PoisonWatch::failed(const Batch& batch) {
  if (batch.first_line != first_line_ || batch.end_line() != end_line_) failures_ = 0;
  first_line_ = batch.first_line;
  end_line_ = batch.end_line();
  ++failures_;
  const bool part = batch.first_line >= condemned_first_ && batch.end_line() <= condemned_end_;
  return failures_ >= (part ? kFailuresOfPart : kFailures);
}

void PoisonWatch::condemn(const Batch& batch) {
  failures_ = 0;
  // A part of what is condemned already leaves the whole condemned: its other parts come next.
  if (batch.first_line >= condemned_first_ && batch.end_line() <= condemned_end_) return;
  condemned_first_ = batch.first_line;
  condemned_end_ = batch.end_line();
}

}  // namespace virtmeter
