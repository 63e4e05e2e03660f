#include "daemon/cycle_writer.h"

#include "codec/stats_line.h"

namespace virtmeter {

CycleWriter::CycleWriter(Spool& spool, MissingPolicy missing)
    : spool_(spool), encoder_({missing}), take_([this](std::string_view lines, std::size_t line_count) {
        spool_.append(lines, line_count + stats_lines_, time_, AppendWake::later);
        stats_lines_ = 0;
      }) {}

std::uint64_t CycleWriter::write(const Cycle& cycle, std::string_view sink, const SinkValues& stats) {
  time_ = cycle.time;
  piece_.clear();
  stats_lines_ = encode_stats_line(stats, {sink, cycle.host, cycle.time}, piece_);
  const std::uint64_t own_lines = stats_lines_;
  const std::size_t lines = encoder_.encode_pieces(cycle, piece_, take_);
  spool_.wake();
  return own_lines + lines;
}

}  // namespace virtmeter
