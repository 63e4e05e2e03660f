// PoisonWatch: some lines make a server drop the connection or die (influxd 1.6.7 does at 13 bytes of them),
// and sending them for ever would keep it dying. It counts how often the same batch has met a lost
// connection, so that such a batch is split until the lines are found. Plain arithmetic. Not thread-safe.
#pragma once

#include <cstdint>

#include "spool/batch.h"

namespace virtmeter {

class PoisonWatch {
 public:
  static constexpr int kFailures = 5;
  // A part of a batch that was split for poison: half of the suspicion is already proved.
  static constexpr int kFailuresOfPart = 2;

  // Notes that `batch` met one more lost connection.
  void failed(const Batch& batch);

  // Whether it has met so many that the batch itself is to be suspected, if only the server is alive
  // otherwise.
  bool suspects(const Batch& batch) const;

  // The failures were not the batch's fault.
  void forgive() { failures_ = 0; }

  // `batch` is being split; its parts are suspected sooner.
  void condemn(const Batch& batch);

 private:
  bool is_condemned(const Batch& batch) const {
    return batch.first_line >= condemned_first_ && batch.end_line() <= condemned_end_;
  }

  std::uint64_t first_line_ = 0;
  std::uint64_t end_line_ = 0;
  int failures_ = 0;
  std::uint64_t condemned_first_ = 0;
  std::uint64_t condemned_end_ = 0;
};

}  // namespace virtmeter
