#include "spool/recovery.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "spool/record_codec.h"

namespace virtmeter {
namespace {

const std::string kFolder = "/d";

std::string segment_bytes(std::uint64_t first_line, int records, bool sealed) {
  RecordEncoder encoder;
  std::string bytes = encode(SegmentHeader{1, first_line, 5, 0});
  std::uint64_t line = first_line;
  for (int i = 0; i < records; ++i, line += 2)
    encoder.append({"a v=1\nb v=2\n", 2, line, WallTime{100 + i}}, bytes);
  if (sealed) bytes += encode(Seal{line - first_line, 0, 100, 100 + records - 1}, line);
  return bytes;
}

TEST(Recovery, KnowsSealedSegmentsWithoutReadingThem) {
  MemoryFileSystem files;
  files.put("/d/" + segment_name(0, 1), segment_bytes(0, 5, true));
  files.put("/d/" + segment_name(10, 2), segment_bytes(10, 5, true));
  const auto found = recover_spool(kFolder, {}, files);
  ASSERT_TRUE(found);
  ASSERT_EQ(found.value().segments.size(), 2u);
  EXPECT_EQ(found.value().segments[0].end, 10u);
  EXPECT_EQ(found.value().segments[1].end, 20u);
  EXPECT_EQ(found.value().segments[1].time_max, WallTime{104});
  EXPECT_EQ(found.value().end_line, 20u);
  EXPECT_EQ(found.value().next_ordinal, 3u);
  // Two listings, and for each segment one opening and two small reads.
  EXPECT_EQ(files.operations(), 8u);
}

TEST(Recovery, ReadsTheLastSegmentThroughWhenItHasNoSeal) {
  MemoryFileSystem files;
  files.put("/d/" + segment_name(0, 1), segment_bytes(0, 5, false));
  files.put("/d/" + segment_name(8, 2), segment_bytes(8, 3, false) + "torn");
  const auto found = recover_spool(kFolder, {}, files);
  ASSERT_TRUE(found);
  EXPECT_EQ(found.value().segments[0].end, 8u) << "what follows was written again in the next one";
  EXPECT_EQ(found.value().segments[1].end, 14u);
  EXPECT_EQ(found.value().torn_bytes, 4u);
}

TEST(Recovery, ReadsASegmentWhoseHeaderIsDamaged) {
  MemoryFileSystem files;
  std::string bytes = segment_bytes(6, 3, false);
  bytes[20] ^= 1;
  files.put("/d/" + segment_name(6, 1), bytes);
  const auto found = recover_spool(kFolder, {}, files);
  ASSERT_TRUE(found);
  ASSERT_EQ(found.value().segments.size(), 1u);
  EXPECT_EQ(found.value().segments[0].begin, 6u);
  EXPECT_EQ(found.value().segments[0].end, 12u);
}

TEST(Recovery, NeverGivesANumberAgainThatACursorKnows) {
  MemoryFileSystem files;
  CursorSlot slot;
  slot.version = 1;
  slot.end_line = slot.collected = slot.delivered = 500;
  files.put("/d/" + cursor_name("gone"), encode(slot));
  const auto found = recover_spool(kFolder, {"influx"}, files);
  ASSERT_TRUE(found);
  EXPECT_EQ(found.value().end_line, 500u);
  EXPECT_FALSE(found.value().cursors[0]);
}

TEST(Recovery, RemovesASegmentInWhichNothingWasWritten) {
  MemoryFileSystem files;
  files.put("/d/" + segment_name(0, 1), "");
  const auto found = recover_spool(kFolder, {}, files);
  ASSERT_TRUE(found);
  EXPECT_TRUE(files.paths().empty());
  EXPECT_EQ(found.value().files_set_aside, 0u);
}

TEST(Recovery, WritesOverNothingInQuarantine) {
  MemoryFileSystem files;
  files.put("/d/quarantine/x", "older");
  files.put("/d/x", "newer");
  ASSERT_TRUE(recover_spool(kFolder, {}, files));
  EXPECT_EQ(*files.bytes_of("/d/quarantine/x"), "older");
  EXPECT_EQ(*files.bytes_of("/d/quarantine/x.1"), "newer");
}

TEST(Recovery, LeavesAloneWhatIsNoFile) {
  MemoryFileSystem files;
  files.put("/d/sub/x", "y");
  ASSERT_TRUE(files.make_folder("/d"));
  ASSERT_TRUE(files.make_folder("/d/sub"));
  const auto found = recover_spool(kFolder, {}, files);
  ASSERT_TRUE(found);
  EXPECT_EQ(found.value().files_ignored, 1u);
  EXPECT_NE(files.bytes_of("/d/sub/x"), nullptr);
}

}  // namespace
}  // namespace virtmeter
