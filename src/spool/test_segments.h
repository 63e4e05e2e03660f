// A segment of a few records in memory, for tests of those who read segments. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_file_system.h"
#include "spool/record_codec.h"

namespace virtmeter {

// A segment of records of 3 lines each.
struct Segments {
  explicit Segments(int records) {
    bytes = encode(SegmentHeader{1, 0, 0, 0});
    for (int i = 0; i < records; ++i) {
      starts.push_back(bytes.size());
      encoder.append({"a v=1\nb v=2\nc v=3\n", 3, static_cast<std::uint64_t>(3 * i), WallTime{i}}, bytes);
    }
    starts.push_back(bytes.size());
  }
  std::unique_ptr<File> file() {
    files.put("/d/s", bytes);
    return std::move(files.open("/d/s", OpenMode::read)).value();
  }

  MemoryFileSystem files;
  RecordEncoder encoder;
  std::string bytes;
  std::vector<std::size_t> starts;
};

}  // namespace virtmeter
