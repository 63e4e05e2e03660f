#include "source/libvirt/quarantine.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::seconds;

constexpr BootTime at(std::int64_t second) { return {seconds(second)}; }

LiveVm vm(std::uint8_t byte, int domain_id = 1) {
  LiveVm live;
  live.uuid.bytes.fill(byte);
  live.domain_id = domain_id;
  live.name = "vm" + std::to_string(byte);
  return live;
}

TEST(Quarantine, HoldsAVmForItsLife) {
  Quarantine quarantine(seconds(5));
  EXPECT_EQ(quarantine.find(vm(1)), nullptr);
  quarantine.put(vm(1), at(100), at(101));
  ASSERT_NE(quarantine.find(vm(1)), nullptr);
  EXPECT_EQ(quarantine.find(vm(1))->since, at(100));
  EXPECT_EQ(quarantine.find(vm(1, 2)), nullptr) << "started anew";
  EXPECT_EQ(quarantine.find(vm(2)), nullptr);
}

TEST(Quarantine, ReplacesAnEarlierLife) {
  Quarantine quarantine(seconds(5));
  for (int i = 0; i < 9; ++i) quarantine.put(vm(1), at(100), at(101));
  quarantine.put(vm(1, 2), at(200), at(201));
  EXPECT_EQ(quarantine.size(), 1u);
  EXPECT_EQ(quarantine.find(vm(1)), nullptr);
  EXPECT_EQ(quarantine.find(vm(1, 2))->since, at(200));
  EXPECT_EQ(quarantine.find(vm(1, 2))->next_trial, at(201)) << "without the other's back-off";
}

TEST(Quarantine, DoublesTheWaitAfterEachFailedTrial) {
  Quarantine quarantine(seconds(4));
  EXPECT_EQ(quarantine.put(vm(1), at(100), at(100)).next_trial, at(100));
  EXPECT_EQ(quarantine.put(vm(1), at(105), at(106)).next_trial, at(108))
      << "one cycle, with half of one to spare";
  EXPECT_EQ(quarantine.put(vm(1), at(115), at(116)).next_trial, at(122));
  EXPECT_EQ(quarantine.put(vm(1), at(130), at(131)).next_trial, at(145));
  for (int i = 0; i < 20; ++i) quarantine.put(vm(1), at(135), at(200));
  EXPECT_EQ(quarantine.find(vm(1))->next_trial, at(200) + seconds(298));
  EXPECT_EQ(quarantine.find(vm(1))->since, at(100)) << "it has hung since the first";
}

TEST(Quarantine, NeverWaitsLongerThanTheMostEvenOnASlowBeat) {
  Quarantine quarantine(seconds(3600));
  quarantine.put(vm(1), at(0), at(0));
  EXPECT_EQ(quarantine.put(vm(1), at(0), at(0)).next_trial, at(150));
}

TEST(Quarantine, ReleasesAVm) {
  Quarantine quarantine(seconds(5));
  quarantine.put(vm(1), at(100), at(101));
  quarantine.release(vm(1));
  EXPECT_EQ(quarantine.find(vm(1)), nullptr);
}

TEST(Quarantine, ForgetsVmsThatAreNoLongerListed) {
  Quarantine quarantine(seconds(5));
  quarantine.put(vm(1), at(100), at(101));
  quarantine.put(vm(2), at(100), at(101));
  quarantine.drop_unlisted();
  quarantine.find(vm(2));
  quarantine.drop_unlisted();
  EXPECT_EQ(quarantine.size(), 1u);
  EXPECT_NE(quarantine.find(vm(2)), nullptr);
}

TEST(Quarantine, CountsTheCallsThatStillWait) {
  Quarantine quarantine(seconds(5));
  quarantine.put(vm(1), at(100), at(101));
  quarantine.put(vm(2), at(100), at(101)).call_waits = false;
  EXPECT_EQ(quarantine.waiting_calls(), 1u);
  EXPECT_EQ(quarantine.put(vm(2), at(100), at(101)).call_waits, true);
  EXPECT_EQ(quarantine.waiting_calls(), 2u);
}

TEST(Quarantine, ListsSoManyAndNoMore) {
  Quarantine quarantine(seconds(5));
  for (std::uint8_t i = 1; i <= 3; ++i) quarantine.put(vm(i), at(i), at(i));
  const std::vector<HungVm> listed = quarantine.list(2);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].name, "vm1");
  EXPECT_EQ(listed[0].uuid, "01010101-0101-0101-0101-010101010101");
  EXPECT_EQ(listed[1].since, at(2));
}

}  // namespace
}  // namespace virtmeter
