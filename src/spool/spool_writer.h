// SpoolWriter: all of a spool's writing: takes the folder, then round by round writes lines, keeps caps,
// saves positions and removes what is done with. When the disk does not take it, lines stay in memory, and
// each round tries again. One thread only, that of run().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "spool/log_writer.h"
#include "spool/spool_core.h"
#include "spool/spool_keeper.h"

namespace virtmeter {

class SpoolWriter {
 public:
  SpoolWriter(SpoolCore& core, std::vector<std::string> reader_names);

  // Fails only when another process holds the folder; another failure is one of the disk, to be tried again.
  Status open();
  // False: the disk did not take it all.
  bool round();
  void finish();

  // Waits for lines or for a second; false: stop was requested.
  bool wait_for_work() EXCLUDES(core_.mutex);

 private:
  Status attach();
  Status take_lock();
  void release_rooms(const Recovered& found);
  Status run_round(SpoolKeeper::When when);
  Status write_lines();
  void note(const Status& status) EXCLUDES(core_.mutex);

  SpoolCore& core_;
  const std::vector<std::string> reader_names_;
  LogWriter log_;
  SpoolKeeper keeper_;
  std::unique_ptr<File> lock_;
  bool attached_ = false;
  int failed_attaches_ = 0;
  std::optional<Error> cannot_attach_;  // Not before the next start.
  std::uint64_t tried_end_ = 0;         // Lines below were there in the last round.
};

}  // namespace virtmeter
