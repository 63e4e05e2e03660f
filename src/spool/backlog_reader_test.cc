#include "spool/backlog_reader.h"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <memory>
#include <string>
#include <vector>
#include "base/memory_file_system.h"
#include "spool/test_segments.h"

namespace virtmeter {
namespace {

struct Reader {
  Segments segments{4};
  BacklogReader reader{segments.files, "/d"};
  BacklogReader::Want want;

  Reader() {
    segments.file();
    want.segment.name = "s";
    want.segment.end = 12;
    want.segment.bytes = segments.bytes.size();
  }
  // "lines read/lines lost"
  std::string read(std::uint64_t begin, std::uint64_t end, std::uint64_t lines_max = 100,
                   std::size_t bytes_max = 1000) {
    want.begin = begin;
    want.end = end;
    want.lines_max = lines_max;
    want.bytes_max = bytes_max;
    std::string lines;
    const auto got = reader.read(want, lines);
    if (!got) return "error";
    EXPECT_EQ(lines.size(), 6 * (got.value().end - begin));
    return fmt::format("{}/{}", got.value().end - begin, got.value().lost_end - begin);
  }
};

TEST(BacklogReader, ReadsAcrossRecordsUpToItsBounds) {
  Reader reader;
  EXPECT_EQ(reader.read(0, 12), "12/0");
  EXPECT_EQ(reader.read(2, 10), "8/0");
  EXPECT_EQ(reader.read(1, 12, 4), "4/0");
  EXPECT_EQ(reader.read(5, 12, 100, 13), "2/0");
  EXPECT_EQ(reader.read(7, 12, 100, 1), "1/0");
}

TEST(BacklogReader, ReadsEachRecordOnceInOrder) {
  Reader reader;
  EXPECT_EQ(reader.read(0, 2), "2/0");
  const std::uint64_t operations = reader.segments.files.operations();
  EXPECT_EQ(reader.read(2, 3), "1/0");
  EXPECT_EQ(reader.read(3, 12), "9/0");
  EXPECT_EQ(reader.segments.files.operations(), operations);
}

TEST(BacklogReader, TellsWhatIsLost) {
  Reader reader;
  reader.segments.bytes[reader.segments.starts[1] + kRecordHeaderBytes] ^= 1;
  reader.segments.file();
  EXPECT_EQ(reader.read(0, 12), "3/0");
  EXPECT_EQ(reader.read(3, 12), "0/3");
  EXPECT_EQ(reader.read(6, 12), "6/0");
  reader.want.segment.end = 20;
  EXPECT_EQ(reader.read(12, 20), "0/8");
}

TEST(BacklogReader, TakesAMissingFileForLost) {
  Reader reader;
  reader.want.segment.name = "none";
  EXPECT_EQ(reader.read(3, 12), "0/9");
}

TEST(BacklogReader, TellsAnErrorOfTheDisk) {
  Reader reader;
  reader.segments.files.fail({.first = 1, .count = 1});
  EXPECT_EQ(reader.read(0, 12), "error");
  EXPECT_EQ(reader.read(0, 12), "12/0");
}

}  // namespace
}  // namespace virtmeter
