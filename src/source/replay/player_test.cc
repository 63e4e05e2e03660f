#include "source/replay/player.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MetricId kRxBytes = metric_id("nic.rxbytes");
constexpr MetricId kTxBytes = metric_id("nic.txbytes");

// Received: 1,000, 1,100, 1,100 and 1,400 bytes, 5 s apart.
Recording recording() {
  Recording made;
  Track<Scope::nic> track;
  for (const std::int64_t bytes : {1000, 1100, 1100, 1400}) {
    made.frames.push_back(seconds(5) * track.frames.size());
    track.frames.emplace_back();
    track.frames.back().set_integer(kRxBytes, bytes);
    track.frames.back().set_absent(kTxBytes, Absence::unsupported);
  }
  VmTrack vm;
  vm.nics.push_back(track);
  made.vms.push_back(vm);
  return made;
}

std::int64_t received(std::chrono::nanoseconds age, double growth = 1) {
  const Recording made = recording();
  NicValues values;
  play(made.vms[0].nics[0], position_at(made, age), growth, values);
  EXPECT_EQ(values.absence(kTxBytes), Absence::unsupported);
  return values.integer(kRxBytes).value_or(-1);
}

TEST(Player, GivesWhatWasRecordedAtTheFrames) {
  EXPECT_EQ(received(seconds(0)), 1000);
  EXPECT_EQ(received(seconds(5)), 1100);
  EXPECT_EQ(received(seconds(10)), 1100);
}

TEST(Player, GrowsEvenlyBetweenTwoFrames) {
  EXPECT_EQ(received(milliseconds(2500)), 1050);
  EXPECT_EQ(received(seconds(7)), 1100);
  EXPECT_EQ(received(seconds(11)), 1160);
}

TEST(Player, GoesOnFromWhereItWasWhenTheRecordingEnds) {
  EXPECT_EQ(received(seconds(15)), 1400);
  EXPECT_EQ(received(seconds(20)), 1500);
  EXPECT_EQ(received(seconds(15 * 1000)), 1000 + 400 * 1000);
}

TEST(Player, NeverGoesBack) {
  std::int64_t before = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = received(milliseconds(77) * i, 0.37);
    EXPECT_GE(now, before);
    before = now;
  }
}

TEST(Player, MovesByTheShareAskedFor) {
  EXPECT_EQ(received(seconds(15), 0.5), 1200);
  EXPECT_EQ(received(seconds(15), 0), 1000);
}

TEST(Player, EndsBelowTheLimitOfAnInteger) {
  EXPECT_GT(received(std::chrono::nanoseconds(INT64_MAX)), 0);
  Recording made = recording();
  made.vms[0].nics[0].frames[3].set_integer(kRxBytes, INT64_MAX);
  NicValues values;
  play(made.vms[0].nics[0], position_at(made, seconds(60)), 1, values);
  EXPECT_EQ(*values.integer(kRxBytes), 9'000'000'000'000'000'000);
}

TEST(Player, GivesGaugesAsRecorded) {
  Recording made = recording();
  Track<Scope::vm> track;
  for (const std::int64_t kib : {10, 20, 30, 40}) {
    track.frames.emplace_back();
    track.frames.back().set_integer(metric_id("vm_metrics.memory_used_kb"), kib);
  }
  VmValues values;
  play(track, position_at(made, seconds(7)), 0.5, values);
  EXPECT_EQ(values.integer(metric_id("vm_metrics.memory_used_kb")), 20);
}

}  // namespace
}  // namespace virtmeter
