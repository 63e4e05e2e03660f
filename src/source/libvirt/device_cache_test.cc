#include "source/libvirt/device_cache.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::seconds;

constexpr BootTime kStart{seconds(1000)};

Uuid uuid_of(std::uint8_t n) {
  Uuid uuid;
  uuid.bytes[15] = n;
  return uuid;
}

CachedVm vm_of(std::uint8_t n, int domain_id, std::vector<std::string> disks = {"vda"}) {
  auto layout = std::make_shared<VmLayout>();
  layout->uuid = uuid_of(n);
  layout->uuid_text = layout->uuid.text();
  layout->domain_id = domain_id;
  layout->name = "vm";
  layout->nics = {"vnet0", "vnet1"};
  layout->disks = std::move(disks);
  return {layout, {}};
}

TEST(DeviceCache, ServesAnEntryForItsTtl) {
  DeviceCache cache(seconds(300));
  cache.put(vm_of(1, 7), kStart);
  EXPECT_NE(cache.find(uuid_of(1), 7, kStart + seconds(239)), nullptr);
  EXPECT_EQ(cache.find(uuid_of(1), 7, kStart + seconds(300)), nullptr);
  EXPECT_EQ(cache.stats().hits, 1u);
  EXPECT_EQ(cache.stats().misses, 1u);
}

TEST(DeviceCache, AgesEntriesAtDifferentSpeeds) {
  DeviceCache cache(seconds(300));
  for (std::uint8_t n = 1; n <= 50; ++n) cache.put(vm_of(n, n), kStart);
  int good = 0;
  for (std::uint8_t n = 1; n <= 50; ++n)
    good += cache.find(uuid_of(n), n, kStart + seconds(270)) != nullptr ? 1 : 0;
  EXPECT_GT(good, 5);
  EXPECT_LT(good, 45);
}

TEST(DeviceCache, NeverServesAnotherLifeOfTheVm) {
  DeviceCache cache(seconds(300));
  cache.put(vm_of(1, 7), kStart);
  EXPECT_EQ(cache.find(uuid_of(1), 8, kStart), nullptr) << "restarted: a new id";
  EXPECT_EQ(cache.find(uuid_of(2), 7, kStart), nullptr) << "another VM took the id";
  EXPECT_EQ(cache.find_stale(uuid_of(1), 8), nullptr);
}

TEST(DeviceCache, KeepsAnInvalidatedEntryOnlyAsTheLastResort) {
  DeviceCache cache(seconds(300));
  cache.put(vm_of(1, 7), kStart);
  cache.invalidate(uuid_of(1));
  EXPECT_EQ(cache.find(uuid_of(1), 7, kStart), nullptr);
  EXPECT_NE(cache.find_stale(uuid_of(1), 7), nullptr);
  cache.put(vm_of(1, 7), kStart);
  cache.invalidate_all();
  EXPECT_EQ(cache.find(uuid_of(1), 7, kStart), nullptr);
}

TEST(DeviceCache, DropsEntriesOfVanishedVms) {
  DeviceCache cache(seconds(300));
  cache.put(vm_of(1, 7), kStart);
  cache.put(vm_of(2, 8), kStart);
  cache.drop_unused();
  EXPECT_NE(cache.find(uuid_of(2), 8, kStart), nullptr);
  cache.drop_unused();
  EXPECT_EQ(cache.stats().entries, 1u);
}

TEST(DeviceCache, HoldsAboutAKilobyteAVm) {
  DeviceCache cache(seconds(300));
  for (std::uint8_t n = 1; n <= 10; ++n) cache.put(vm_of(n, n, {"vda", "vdb", "vdc"}), kStart);
  EXPECT_LE(cache.stats().bytes / 10, 1024u);
  EXPECT_GE(cache.stats().bytes / 10, 200u);
}

}  // namespace
}  // namespace virtmeter
