#include "codec/line_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace virtmeter {
namespace {

constexpr WallTime kTime{1'700'000'000'000'000'000};

std::string written(std::string_view measurement, std::vector<TagView> tags, std::vector<FieldView> fields,
                    WallTime time = kTime) {
  std::string out = "before\n";
  const bool any = append_line(out, PointView{measurement, tags, fields, time});
  EXPECT_EQ(any, out.size() > 7);
  return out.substr(7);
}

const FieldView kOne{"v", std::int64_t{1}};

TEST(LineWriter, WritesEveryTypeOfField) {
  EXPECT_EQ(
      written(
          "m", {{"k", "x"}},
          {{"i", std::int64_t{-5}}, {"r", 0.25}, {"b", true}, {"c", false}, {"s", std::string_view("a b")}}),
      "m,k=x i=-5i,r=0.25,b=true,c=false,s=\"a b\" 1700000000000000000\n");
}

TEST(LineWriter, WritesIntegersToTheirLimits) {
  EXPECT_EQ(written("m", {}, {{"a", std::int64_t{INT64_MAX}}, {"b", std::int64_t{INT64_MIN}}}),
            "m a=9223372036854775807i,b=-9223372036854775808i 1700000000000000000\n");
}

TEST(LineWriter, WritesRealsInTheirShortestExactForm) {
  EXPECT_EQ(
      written("m", {}, {{"a", 0.1}, {"b", 42.0}, {"c", 1e22}, {"d", -1.5e-300}, {"e", 3.141592653589793}}),
      "m a=0.1,b=42,c=1e+22,d=-1.5e-300,e=3.141592653589793 1700000000000000000\n");
}

TEST(LineWriter, LeavesOutNumbersThatAreNotFinite) {
  EXPECT_EQ(written("m", {},
                    {{"a", std::numeric_limits<double>::quiet_NaN()},
                     {"b", std::numeric_limits<double>::infinity()},
                     {"c", -std::numeric_limits<double>::infinity()},
                     kOne}),
            "m v=1i 1700000000000000000\n");
}

TEST(LineWriter, SortsTagsByTheBytesOfTheirKeys) {
  EXPECT_EQ(written("m", {{"b", "1"}, {"Z", "2"}, {"a", "3"}, {"aZ", "4"}, {"a,", "5"}}, {kOne}),
            "m,Z=2,a=3,a\\,=5,aZ=4,b=1 v=1i 1700000000000000000\n");
}

TEST(LineWriter, LeavesOutATagWithoutKeyOrValue) {
  EXPECT_EQ(written("m", {{"", "x"}, {"k", ""}, {"l", "y"}}, {kOne}), "m,l=y v=1i 1700000000000000000\n");
}

TEST(LineWriter, KeepsTheFirstOfTwoTagsThatAreStoredAlike) {
  EXPECT_EQ(written("m", {{"a\\b", "1"}, {"a/b", "2"}}, {kOne}), "m,a/b=1 v=1i 1700000000000000000\n");
}

TEST(LineWriter, KeepsTheFirstOfTwoFieldsThatAreStoredAlike) {
  EXPECT_EQ(written("m", {}, {{"a\n", std::int64_t{1}}, {"a\t", std::int64_t{2}}, {"", std::int64_t{3}}}),
            "m a_=1i 1700000000000000000\n");
}

TEST(LineWriter, WritesNoLineWithoutAField) {
  EXPECT_EQ(written("m", {{"k", "x"}}, {}), "");
  EXPECT_EQ(written("m", {}, {{"v", std::numeric_limits<double>::quiet_NaN()}}), "");
}

TEST(LineWriter, WritesNoLineWithoutAMeasurement) { EXPECT_EQ(written("", {}, {kOne}), ""); }

TEST(LineWriter, WritesTimesThatInfluxDb1Takes) {
  EXPECT_EQ(written("m", {}, {kOne}, WallTime{0}), "m v=1i 0\n");
  EXPECT_EQ(written("m", {}, {kOne}, WallTime{-1}), "m v=1i -1\n");
  EXPECT_EQ(written("m", {}, {kOne}, WallTime{INT64_MAX}), "m v=1i 9223372036854775806\n");
  EXPECT_EQ(written("m", {}, {kOne}, WallTime{INT64_MIN}), "m v=1i -9223372036854775806\n");
}

// These two lines crash InfluxDB 1.6.7 when they are written as they are.
TEST(LineWriter, DefusesTheLinesThatCrashInfluxDb) {
  EXPECT_EQ(written("m", {}, {{"\\", std::string_view("=")}}), "m /=\"=\" 1700000000000000000\n");
  EXPECT_EQ(written("m", {}, {{std::string_view("\\\0", 2), std::string_view(",")}}),
            "m /_=\",\" 1700000000000000000\n");
}

}  // namespace
}  // namespace virtmeter
