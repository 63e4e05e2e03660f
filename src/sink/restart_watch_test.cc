#include "sink/restart_watch.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

TEST(ProcessStart, IsReadFromPrometheusText) {
  EXPECT_EQ(process_start_of("# HELP process_start_time_seconds x\nprocess_start_time_seconds 1700000000\n"),
            "1700000000/");
  EXPECT_EQ(process_start_of("a 1\nvm_app_start_timestamp 17\nprocess_start_time_seconds 18\nb 2"), "18/17");
  EXPECT_EQ(process_start_of("vm_app_start_timestamp{a=\"b c\"} 19"), "/19");
  EXPECT_EQ(process_start_of("vm_app_start_timestamp " + std::string(500, '1')), "/" + std::string(64, '1'));
}

TEST(ProcessStart, IsAbsentWhereNoSampleSaysIt) {
  EXPECT_EQ(process_start_of(""), std::nullopt);
  EXPECT_EQ(process_start_of("<html>"), std::nullopt);
  EXPECT_EQ(process_start_of("xprocess_start_time_seconds 1\nprocess_start_time_seconds_total 2\n"),
            std::nullopt);
  EXPECT_EQ(process_start_of("process_start_time_seconds"), std::nullopt);
  EXPECT_EQ(process_start_of("process_start_time_seconds "), std::nullopt);
}

TEST(RestartWatch, ComparesTheStartTimes) {
  RestartWatch watch;
  EXPECT_FALSE(watch.accepted_by("1"));
  EXPECT_FALSE(watch.accepted_by("1"));
  EXPECT_TRUE(watch.accepted_by("2"));
  EXPECT_FALSE(watch.accepted_by("2"));
}

TEST(RestartWatch, BelievesTheStartTimeMoreThanALostConnection) {
  RestartWatch watch;
  EXPECT_FALSE(watch.accepted_by("1"));
  watch.connection_failed();
  EXPECT_FALSE(watch.accepted_by("1"));
  EXPECT_FALSE(watch.accepted_by(std::nullopt));
}

TEST(RestartWatch, TakesALostConnectionForARestartWhereNothingElseIsKnown) {
  RestartWatch watch;
  EXPECT_FALSE(watch.accepted_by(std::nullopt));
  EXPECT_FALSE(watch.accepted_by(std::nullopt));
  watch.connection_failed();
  EXPECT_TRUE(watch.accepted_by(std::nullopt));
  EXPECT_FALSE(watch.accepted_by(std::nullopt));
  watch.connection_failed();
  EXPECT_TRUE(watch.accepted_by("1"));
}

TEST(RestartWatch, HasNothingToLoseBeforeTheFirstAcceptedWrite) {
  RestartWatch watch;
  watch.connection_failed();
  EXPECT_FALSE(watch.accepted_by(std::nullopt));
}

}  // namespace
}  // namespace virtmeter
