#include "spool/segment_file.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"

namespace virtmeter {
namespace {

TEST(SegmentFile, HoldsItsHeaderAndWhatIsAppended) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.make_folder("/d"));
  auto segment = SegmentFile::create(files, "/d", {3, 16, 1, 2}, 4096);
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment.value()->name(), "0000000000000010-00000003.seg");
  EXPECT_TRUE(segment.value()->append("records"));
  EXPECT_TRUE(segment.value()->sync());
  EXPECT_EQ(segment.value()->bytes(), 71u);
  files.cut_power();
  EXPECT_EQ(*files.bytes_of("/d/0000000000000010-00000003.seg"),
            encode(SegmentHeader{3, 16, 1, 2}) + "records");
}

TEST(SegmentFile, LeavesNothingBehindWhenItCannotBeMade) {
  for (std::uint64_t at = 0; at < 5; ++at) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.make_folder("/d"));
    files.fail({.first = at, .count = 1});
    EXPECT_FALSE(SegmentFile::create(files, "/d", {}, 4096)) << at;
    EXPECT_TRUE(files.paths().empty()) << at;
  }
}

}  // namespace
}  // namespace virtmeter
