#include "source/libvirt/stat_key.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace virtmeter {
namespace {

TEST(StatKey, FillsBothRowsOfASharedKey) {
  const auto rows = rows_of_vm_key("balloon.current");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_NE(std::find(rows.begin(), rows.end(), metric_id("vm_metrics.memory_used_kb")), rows.end());
  EXPECT_NE(std::find(rows.begin(), rows.end(), metric_id("vm_totals.memactual")), rows.end());
}

TEST(StatKey, FillsNothingForAnUnknownKey) {
  EXPECT_TRUE(rows_of_vm_key("balloon").empty());
  EXPECT_TRUE(rows_of_vm_key("").empty());
  EXPECT_TRUE(rows_of_nic_key("cpu.time").empty());
  EXPECT_EQ(rows_of_disk_key("wr.reqs").front(), metric_id("disk.wr_reqs"));
}

TEST(StatKey, SplitsADeviceKey) {
  const auto key = split_device_key("net.12.rx.bytes", "net.");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->index, 12u);
  EXPECT_EQ(key->rest, "rx.bytes");
  for (const std::string_view other :
       {"net.count", "net.", "net.1", "block.1.name", "net.-1.name", "net.99999999999.name"}) {
    EXPECT_FALSE(split_device_key(other, "net.")) << other;
  }
}

// testdata/bulk_reply_*.txt: what real daemons answered, one "key type value" a line (tests/record_bulk.cc).
TEST(StatKey, KnowsEveryKeyOfARecordedReply) {
  std::ifstream recording(VIRTMETER_SOURCE_DIR "/src/source/libvirt/testdata/bulk_reply_9.0.0.txt");
  ASSERT_TRUE(recording) << "the recording is part of the tree";
  std::size_t mapped = 0;
  for (std::string line; std::getline(recording, line);) {
    if (line.empty() || line.front() == '#') continue;
    const std::string_view key = std::string_view(line).substr(0, line.find(' '));
    const auto nic = split_device_key(key, "net.");
    const auto disk = split_device_key(key, "block.");
    const bool fills = !rows_of_vm_key(key).empty() || (nic && !rows_of_nic_key(nic->rest).empty()) ||
                       (disk && !rows_of_disk_key(disk->rest).empty());
    mapped += fills ? 1 : 0;
    EXPECT_TRUE(fills || !reason_to_ignore(key).empty())
        << key << " is neither mapped nor ignored with a reason";
  }
  EXPECT_GT(mapped, 30u);
}

TEST(StatKey, HasNotHeardOfEverything) {
  EXPECT_EQ(reason_to_ignore("net.0.rx.speed"), "");
  EXPECT_EQ(reason_to_ignore("future.group"), "");
  EXPECT_NE(reason_to_ignore("block.0.rd.times"), "");
}

}  // namespace
}  // namespace virtmeter
