// CursorFile: where a reader's position is kept: two slots that are written by turns, so that a write that
// tears one leaves the other. The writer's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "spool/format.h"

namespace virtmeter {

class CursorFile {
 public:
  // `version` is that of the slot that was read; 0: there is none.
  CursorFile(FileSystem& files, std::string folder, std::string_view reader, std::uint64_t version);

  // Writes the slot and syncs it. After an error the next save() opens the file again.
  Status save(CursorSlot slot);

 private:
  Status open();

  FileSystem& files_;
  const std::string folder_;
  const std::string path_;
  std::uint64_t version_;
  std::unique_ptr<File> file_;
};

}  // namespace virtmeter
