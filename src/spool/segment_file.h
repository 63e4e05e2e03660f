// SegmentFile: the segment that is being written. A write or sync that fails ends it for good: what the
// kernel kept of it is unknown. The writer's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "spool/format.h"

namespace virtmeter {

class SegmentFile {
 public:
  // Makes the file, reserves room for it and sees to it that its name survives a power cut. Where that fails,
  // tries to leave nothing behind.
  static Result<std::unique_ptr<SegmentFile>> create(FileSystem& files, const std::string& folder,
                                                     const SegmentHeader& header,
                                                     std::uint64_t reserve_bytes);

  // Appends whole records, in one write.
  Status append(std::string_view records);
  Status sync() { return file_->sync(); }
  // Of the room reserved what was not used is free again. No reason to fail.
  void release_room();

  const std::string& name() const { return name_; }
  std::uint64_t bytes() const { return bytes_; }
  BootTime created() const { return created_; }
  Seal& totals() { return totals_; }

 private:
  SegmentFile(std::unique_ptr<File> file, std::string name, const SegmentHeader& header);

  const std::unique_ptr<File> file_;
  const std::string name_;
  const BootTime created_;
  std::uint64_t bytes_ = 0;
  Seal totals_;
};

}  // namespace virtmeter
