#include "spool/record_scanner.h"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <memory>
#include <string>
#include <vector>
#include "base/memory_file_system.h"
#include "spool/record_codec.h"
#include "spool/test_segments.h"

namespace virtmeter {
namespace {

using Found = RecordScanner::Found;

// What a scan finds: the first line of each record, "x" for damage, "e" and the bytes left at the end.
std::string scan(Segments& segments, std::uint64_t from_line = 0) {
  const auto file = segments.file();
  RecordScanner scanner(*file, segments.bytes.size());
  std::string found;
  while (true) {
    const auto item = scanner.next(from_line);
    if (!item) return found + "!";
    if (item.value().found == Found::end) return found + fmt::format("e{}", item.value().bytes);
    found += item.value().found == Found::damage ? "x " : fmt::format("{} ", item.value().header->first_line);
  }
}

TEST(RecordScanner, FindsAllRecords) {
  Segments segments(4);
  EXPECT_EQ(scan(segments), "0 3 6 9 e0");
  Segments none(0);
  EXPECT_EQ(scan(none), "e0");
}

TEST(RecordScanner, StepsOverDamage) {
  Segments payload(4);
  payload.bytes[payload.starts[1] + kRecordHeaderBytes] ^= 1;
  EXPECT_EQ(scan(payload), "0 x 6 9 e0");
  Segments header(4);
  header.bytes[header.starts[1] + 9] ^= 1;
  EXPECT_EQ(scan(header), "0 x 6 9 e0");
  Segments last(4);
  last.bytes[last.starts[3]] ^= 1;
  EXPECT_EQ(scan(last), fmt::format("0 3 6 e{}", last.starts[4] - last.starts[3]));
}

TEST(RecordScanner, EndsAtATornTail) {
  Segments segments(3);
  segments.bytes.resize(segments.starts[2] + kRecordHeaderBytes + 2);
  EXPECT_EQ(scan(segments), "0 3 x e0");
  segments.bytes.resize(segments.starts[2] + 20);
  EXPECT_EQ(scan(segments), "0 3 e20");
}

TEST(RecordScanner, DoesNotReadThePayloadsItIsNotAskedFor) {
  Segments segments(3);
  segments.bytes[segments.starts[0] + kRecordHeaderBytes] ^= 1;
  EXPECT_EQ(scan(segments, 3), "0 3 6 e0");
}

TEST(RecordScanner, GoesOnBehindWhatCannotBeRead) {
  Segments segments(300);
  const auto file = segments.file();
  RecordScanner scanner(*file, segments.bytes.size());
  segments.files.fail({.first = 0, .count = 1});
  EXPECT_FALSE(scanner.next());
  scanner.skip_unreadable();
  const auto item = scanner.next();
  ASSERT_TRUE(item);
  EXPECT_EQ(item.value().found, Found::record);
  EXPECT_EQ(item.value().offset, 4096u);
  EXPECT_EQ(item.value().header->first_line, 168u);
}

TEST(RecordScanner, EndsInAFileThatBecameShorter) {
  Segments segments(3);
  const auto file = segments.file();
  RecordScanner scanner(*file, segments.bytes.size() + (std::uint64_t{1} << 29));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(scanner.next().value().found, Found::record);
  EXPECT_EQ(scanner.next().value().found, Found::end);
  EXPECT_LT(segments.files.operations(), 20u);
}

}  // namespace
}  // namespace virtmeter
