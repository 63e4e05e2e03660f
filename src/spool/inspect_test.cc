#include "spool/inspect.h"

#include <gtest/gtest.h>

#include "spool/test_spool.h"

namespace virtmeter {
namespace {

TEST(InspectSpool, DescribesASoundSpool) {
  TestSpool test;
  test.open();
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(test.append_and_write(100));
  test.drain(test.reader());
  test.append(10);
  test.spool->finish();
  const auto report = inspect_spool(TestSpool::kFolder, test.files);
  ASSERT_TRUE(report);
  EXPECT_EQ(report.value().damage_count, 0u);
  std::uint64_t lines = 0;
  for (const SegmentReport& segment : report.value().segments) {
    EXPECT_TRUE(segment.sealed);
    EXPECT_EQ(segment.end_line - segment.first_line, segment.lines);
    lines += segment.lines;
  }
  EXPECT_EQ(lines, 6010u);
  ASSERT_EQ(report.value().cursors.size(), 1u);
  EXPECT_EQ(report.value().cursors[0].reader, "influx");
  EXPECT_EQ(report.value().cursors[0].counts.delivered, 6000u);
  EXPECT_EQ(report.value().cursors[0].counts.waiting, 10u);
  EXPECT_TRUE(report.value().cursors[0].counts.conserved());
}

TEST(InspectSpool, NamesDamageByFileAndOffset) {
  TestSpool test;
  test.open();
  ASSERT_TRUE(test.append_and_write(10));
  ASSERT_TRUE(test.append_and_write(10));
  test.kill();
  const std::string path = test.segment_paths().at(0);
  (*test.files.bytes_of(path))[64 + 48 + 3] ^= 1;
  test.files.put("/state/spool/notes", "x");
  const auto report = inspect_spool(TestSpool::kFolder, test.files);
  ASSERT_TRUE(report);
  ASSERT_EQ(report.value().damage_count, 1u);
  const SpoolDamage& damage = report.value().damage[0];
  EXPECT_EQ("/state/spool/" + damage.file, path);
  EXPECT_EQ(damage.offset, 64u);
  EXPECT_EQ(damage.what, "a record of 10 lines, number 0 on, is damaged");
  EXPECT_EQ(report.value().segments[0].lines, 10u);
  EXPECT_EQ(report.value().foreign_files, std::vector<std::string>{"notes"});
}

TEST(InspectSpool, ChangesNothingAndAsksForNoLock) {
  TestSpool test;
  test.open();
  ASSERT_TRUE(test.append_and_write(10));
  test.files.put("/state/spool/notes", "x");
  const auto paths = test.files.paths();
  ASSERT_TRUE(inspect_spool(TestSpool::kFolder, test.files));
  EXPECT_EQ(test.files.paths(), paths);
  EXPECT_FALSE(inspect_spool("/none", test.files));
}

}  // namespace
}  // namespace virtmeter
