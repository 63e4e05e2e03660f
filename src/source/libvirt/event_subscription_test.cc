// Against libvirt's test driver; what is heard is tested in libvirt_connector_test.cc.
#include "source/libvirt/event_subscription.h"

#include <gtest/gtest.h>

#include "source/libvirt/event_loop.h"
#include "source/libvirt/handles.h"

namespace virtmeter {
namespace {

TEST(EventSubscription, KnowsWhetherMemoryIsToldOf) {
  ASSERT_TRUE(LibvirtEventLoop::prepare());
  const ConnectHandle connection(virConnectOpenReadOnly("test:///default"));
  EventSubscription events;
  EXPECT_FALSE(events.tells_of_balloons());
  events.subscribe(connection.get());
  EXPECT_TRUE(events.tells_of_balloons());
  events.unsubscribe(connection.get());
  EXPECT_FALSE(events.tells_of_balloons());
}

}  // namespace
}  // namespace virtmeter
