// SpoolKeeper: keeps the spool's folder within its caps, the readers' positions saved, and removes segments
// that nobody wants any more. A position is safe before a segment goes that it is done with. The writer's
// thread only; takes the core's mutex, but never around a call to the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "spool/cursor_file.h"
#include "spool/spool_core.h"

namespace virtmeter {

struct Recovered;

class SpoolKeeper {
 public:
  explicit SpoolKeeper(SpoolCore& core) : core_(core) {}

  void open_cursors(const Recovered& found, const std::vector<std::string>& reader_names);

  // Evicts what is over a cap. An error: the file system is short of space, and nothing is left to evict.
  Status enforce_caps() EXCLUDES(core_.mutex);
  // The oldest segment that is not being written; false: there is none.
  bool evict_oldest(DropReason reason) EXCLUDES(core_.mutex);

  enum class When : std::uint8_t { due, now };
  // At most once a second, unless it must be now; notes which segments are done with by what was saved.
  Status save_cursors(When when) EXCLUDES(core_.mutex);
  void remove_done() EXCLUDES(core_.mutex);
  void remove_later(std::vector<std::string> names);

 private:
  bool evict_if(DropReason reason, bool is_over) EXCLUDES(core_.mutex);
  std::uint64_t bytes() const EXCLUDES(core_.mutex);
  bool oldest_is_expired() const EXCLUDES(core_.mutex);
  void remove_files();

  SpoolCore& core_;
  struct Cursor {
    CursorFile file;
    std::uint64_t saved_generation = 0;
  };
  std::vector<Cursor> cursors_;
  std::optional<BootTime> saved_at_;
  std::vector<std::string> to_remove_;
};

}  // namespace virtmeter
