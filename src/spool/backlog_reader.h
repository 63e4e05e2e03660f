// BacklogReader: lines from segments, for one reader, in order. It keeps its place, so that what follows is
// read once. What cannot be read is told exactly. The reader's consumer thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "spool/record_codec.h"
#include "spool/record_scanner.h"
#include "spool/segment.h"

namespace virtmeter {

class BacklogReader {
 public:
  BacklogReader(FileSystem& files, std::string folder);

  struct Want {
    Segment segment;
    std::uint64_t begin = 0;  // Within the segment.
    std::uint64_t end = 0;
    std::uint64_t lines_max = 0;
    std::size_t bytes_max = 0;
  };
  struct Got {
    // Lines [begin of the want, end) were read, or, when there are none, [begin, lost_end) cannot be.
    std::uint64_t end = 0;
    std::uint64_t lost_end = 0;
  };

  // Sets `lines`. An error is the disk's and may pass.
  Result<Got> read(const Want& want, std::string& lines);

  // After an error: whether the segment could be opened, so that the error is that of a part of it.
  bool is_open() const { return file_ != nullptr; }

  // After an error that does not pass: goes on behind the part that could not be read.
  void skip_unreadable();

 private:
  Status go_to(const Want& want);
  void close();
  // Moves to the record that holds the line, or the first one behind it. False: there is none.
  Result<bool> find_record(std::uint64_t line);

  FileSystem& files_;
  const std::string folder_;
  RecordDecoder decoder_;
  std::string segment_name_;
  std::unique_ptr<File> file_;
  std::unique_ptr<RecordScanner> scanner_;
  std::string record_;  // The lines of the record at hand, numbered [record_begin_, record_end_).
  std::uint64_t record_begin_ = 0;
  std::uint64_t record_end_ = 0;
};

}  // namespace virtmeter
