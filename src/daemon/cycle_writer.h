// CycleWriter: a finished cycle as lines in the spool, in front of them the daemon's own line
// collector_stats. Encodes and appends in pieces, so that a large cycle is never in memory twice as text.
// While the VMs and their devices stay the same it allocates nothing. Collector thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/line_protocol.h"
#include "model/cycle.h"
#include "spool/spool.h"

namespace virtmeter {

class CycleWriter {
 public:
  // `spool` must outlive the writer.
  CycleWriter(Spool& spool, MissingPolicy missing);
  CycleWriter(const CycleWriter&) = delete;
  CycleWriter& operator=(const CycleWriter&) = delete;

  // `stats` are of the sink named `sink`. Returns the number of lines.
  std::uint64_t write(const Cycle& cycle, std::string_view sink, const SinkValues& stats);

 private:
  Spool& spool_;
  LineProtocolEncoder encoder_;
  LineProtocolEncoder::TakePiece take_;
  std::string piece_;
  std::uint64_t stats_lines_ = 0;  // Of the first piece, which the encoder has not counted.
  WallTime time_;                  // Of the cycle at hand.
};

}  // namespace virtmeter
