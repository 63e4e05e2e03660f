#include "daemon/stop_grace.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

TEST(StopGrace, IsForWhatCanBeDeliveredOrWouldBeLost) {
  const auto check = [](bool delivery_fails, bool on_disk, bool disk_fails, std::chrono::seconds want) {
    DeliveryStatus delivery;
    if (delivery_fails) delivery.failing_since = WallTime{1};
    SpoolStatus spool;
    spool.on_disk = on_disk;
    if (disk_fails) spool.failing_since = WallTime{1};
    EXPECT_EQ(stop_grace(delivery, spool), want) << delivery_fails << on_disk << disk_fails;
  };
  check(false, true, false, Delivery::kStopGrace);
  check(true, true, true, Delivery::kStopGrace);
  check(true, false, false, Delivery::kStopGrace);
  check(true, true, false, std::chrono::seconds(0));
}

}  // namespace
}  // namespace virtmeter
