// Spool: an append-only log of lines with one read position per reader, in memory and, when it has a folder,
// on disk (docs/spool_format.md). append() never waits for the disk and never fails: run() does all writing,
// so that a hung disk holds neither the beat nor delivery. What cannot be kept is dropped, oldest first, and
// counted for each reader that still wanted it. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "spool/spool_counts.h"
#include "spool/spool_options.h"
#include "spool/spool_reader.h"

namespace virtmeter {

class SpoolWriter;

class Spool {
 public:
  // Finds what an earlier process left, whatever its state. Fails only when another process holds the folder.
  // Reader names become file names; a cursor of another name holds nothing back. `files` and `clock` must
  // outlive the spool.
  static Result<std::unique_ptr<Spool>> open(SpoolOptions options, std::vector<std::string> reader_names,
                                             FileSystem& files, const Clock& clock);
  // Writes nothing: as after a kill, but for run() having ended.
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // Appends one cycle's lines, stamped `time`: `line_count` of them, each complete and ending in '\n'. After
  // run() has ended they are counted as dropped by shutdown.
  // A cycle may come in pieces: all with AppendWake::later, then wake().
  void append(std::string_view lines, std::uint64_t line_count, WallTime time,
              AppendWake wakes = AppendWake::now);
  // Lets the writer and the readers look for what was appended.
  void wake();

  // The reader of one of the names given to open(). It lives as long as the spool.
  SpoolReader& reader(std::string_view name);

  // The body of the thread "vm-spool": writes, syncs, rotates, evicts, saves positions and unlinks, until
  // request_stop(); then once more, and drops what is in memory only, counted as shutdown. Readers must have
  // put back what they cannot deliver by then.
  void run();

  // One round of run()'s work, for tests and where there is no thread. False: the disk did not take it all.
  bool write_pending();

  // The end of run()'s work, likewise.
  void finish();

  void request_stop();

  SpoolStatus status() const;

 private:
  Spool(std::unique_ptr<SpoolCore> core, std::unique_ptr<SpoolWriter> writer,
        std::vector<std::string> reader_names);

  const std::unique_ptr<SpoolCore> core_;
  const std::vector<std::string> names_;
  std::vector<std::unique_ptr<SpoolReader>> readers_;
  const std::unique_ptr<SpoolWriter> writer_;
};

}  // namespace virtmeter
