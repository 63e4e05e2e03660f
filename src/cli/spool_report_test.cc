#include "cli/spool_report.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

SpoolReport report_of_one_reader() {
  SpoolReport report;
  report.folder = "/var/lib/virtmeter/spool";
  SegmentReport segment;
  segment.file = "0000000000000000.seg";
  segment.bytes = 2048;
  segment.end_line = 160;
  segment.lines = 160;
  segment.records = 2;
  segment.raw_bytes = 20'000;
  segment.time_min = WallTime{1'700'000'000'000'000'000};
  segment.time_max = WallTime{1'700'000'005'000'000'000};
  report.segments.push_back(segment);
  CursorReport cursor;
  cursor.file = "influx.cursor";
  cursor.reader = "influx";
  cursor.valid = true;
  cursor.counts.collected = 160;
  cursor.counts.delivered = 100;
  cursor.counts.waiting = 57;
  cursor.counts.dropped[DropReason::rejected] = 3;
  cursor.end_line = 160;
  report.cursors.push_back(cursor);
  return report;
}

TEST(SpoolReportText, TellsEachReadersAccount) {
  EXPECT_EQ(spool_status_table(report_of_one_reader()),
            "spool      /var/lib/virtmeter/spool\n"
            "segments   1, 2.0 KiB, 160 lines, from 2023-11-14T22:13:20Z to 2023-11-14T22:13:25Z\n"
            "reader     influx\n"
            "  collected  160\n"
            "  delivered  100\n"
            "  waiting    57\n"
            "  dropped    3 (rejected 3)\n");
}

TEST(SpoolReportText, SaysThatACursorIsDamaged) {
  SpoolReport report = report_of_one_reader();
  report.cursors[0].valid = false;
  report.damage_count = 1;
  EXPECT_EQ(spool_status_table(report),
            "spool      /var/lib/virtmeter/spool\n"
            "segments   1, 2.0 KiB, 160 lines, from 2023-11-14T22:13:20Z to 2023-11-14T22:13:25Z\n"
            "reader     influx: its cursor is damaged\n"
            "damage     1 places; virtmeter spool verify names them\n");
}

TEST(SpoolReportText, VerifiesAWholeSpool) {
  EXPECT_EQ(spool_verify_text(report_of_one_reader()),
            "0000000000000000.seg  lines 0 to 160, 2 records, 2.0 KiB\n"
            "ok: every record is whole\n");
}

TEST(SpoolReportText, NamesDamageWithItsPlace) {
  SpoolReport report = report_of_one_reader();
  report.segments[0].torn_bytes = 7;
  report.damage = {{"0000000000000000.seg", 1112, 64, "the checksum of a record does not fit"}};
  report.damage_count = 1;
  report.foreign_files = {"notes\n.txt"};
  EXPECT_EQ(spool_verify_text(report),
            "0000000000000000.seg  lines 0 to 160, 2 records, 2.0 KiB, 7 bytes torn at its end\n"
            "DAMAGE 0000000000000000.seg:1112: the checksum of a record does not fit (64 bytes)\n"
            "foreign  notes?.txt: not a file of the spool; left alone\n"
            "damaged: 1 places; virtmeter reads around them and counts the lines as corrupt\n");
}

TEST(SpoolReportText, CountsATornEndAsDamage) {
  SpoolReport report = report_of_one_reader();
  EXPECT_FALSE(is_damaged(report));
  report.segments[0].torn_bytes = 1;
  EXPECT_TRUE(is_damaged(report));
}

TEST(SpoolReportJson, HoldsTheAccountThatAddsUp) {
  const std::string text = spool_report_json(report_of_one_reader());
  for (const char* part : {"\"collected\": 160", "\"delivered\": 100", "\"waiting\": 57", "\"in_flight\": 0",
                           "\"rejected\": 3", "\"memory\": 0", "\"time_min\": \"2023-11-14T22:13:20Z\""}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

}  // namespace
}  // namespace virtmeter
