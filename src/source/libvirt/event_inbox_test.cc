#include "source/libvirt/event_inbox.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

Uuid uuid_of(std::uint32_t n) {
  Uuid uuid;
  for (std::size_t i = 0; i < 4; ++i) uuid.bytes[i] = static_cast<std::uint8_t>(n >> (8 * i));
  return uuid;
}

TEST(EventInbox, GivesWhatWasPutInOnce) {
  EventInbox inbox;
  inbox.put(uuid_of(1));
  inbox.put(uuid_of(1));
  inbox.put(uuid_of(2));
  const auto taken = inbox.take();
  EXPECT_EQ(taken.uuids, (std::vector<Uuid>{uuid_of(1), uuid_of(2)}));
  EXPECT_EQ(taken.events, 3u);
  EXPECT_FALSE(taken.every_vm);
  EXPECT_TRUE(inbox.take().uuids.empty());
}

TEST(EventInbox, TellsMemoryFromDevices) {
  EventInbox inbox;
  inbox.put(uuid_of(1));
  inbox.put_balloon(uuid_of(2));
  const auto taken = inbox.take();
  EXPECT_EQ(taken.uuids, std::vector<Uuid>{uuid_of(1)});
  EXPECT_EQ(taken.balloons, std::vector<Uuid>{uuid_of(2)});
  EXPECT_EQ(taken.events, 2u);
}

TEST(EventInbox, RemembersEveryVmPastItsBound) {
  EventInbox inbox;
  for (std::uint32_t n = 0; n <= EventInbox::kUuidsMax; ++n) inbox.put(uuid_of(n));
  const auto taken = inbox.take();
  EXPECT_TRUE(taken.every_vm);
  EXPECT_TRUE(taken.uuids.empty());
  EXPECT_EQ(taken.events, EventInbox::kUuidsMax + 1);
}

TEST(EventInbox, RemembersEveryVmAfterALostConnection) {
  EventInbox inbox;
  inbox.put_every_vm();
  EXPECT_TRUE(inbox.take().every_vm);
  EXPECT_FALSE(inbox.take().every_vm);
}

}  // namespace
}  // namespace virtmeter
