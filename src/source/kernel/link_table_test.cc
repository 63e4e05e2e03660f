#include "source/kernel/link_table.h"

#include <gtest/gtest.h>

#include "source/kernel/test_links.h"

namespace virtmeter {
namespace {

class LinkTableTest : public testing::Test {
 protected:
  LinkTableTest() {
    port.interfaces = {{1, "lo", "", 10}, {2, "vnet0", "tun", 20}, {3, "macvtap0", "macvtap", 30}};
  }

  void add(int index, const std::string& name, std::uint64_t base) {
    port.interfaces.push_back({index, name, "tun", base});
    port.events.push_back(message(RTM_NEWLINK, link_payload(index, name, "tun")));
  }
  std::uint64_t rx_bytes(const std::string& name) const {
    const Link* link = table.find(name);
    return link == nullptr ? 0 : link->counters.rx_bytes;
  }

  TestLinkPort port;
  LinkTable table{port};
};

TEST_F(LinkTableTest, KnowsCountersByName) {
  table.refresh();
  EXPECT_EQ(rx_bytes("vnet0"), 23u);
  EXPECT_EQ(rx_bytes("macvtap0"), 33u);
  EXPECT_EQ(table.find("vnet1"), nullptr);
  EXPECT_EQ(table.find("vnet0")->kind, LinkKind::tap);
}

TEST_F(LinkTableTest, AsksForNamesOnce) {
  for (int i = 0; i < 5; ++i) table.refresh();
  EXPECT_EQ(port.link_questions, 1);
  port.interfaces[1].base = 50;
  table.refresh();
  EXPECT_EQ(rx_bytes("vnet0"), 53u);
}

TEST_F(LinkTableTest, AnEventTellsOfANewInterface) {
  table.refresh();
  add(4, "vnet1", 40);
  table.refresh();
  EXPECT_EQ(rx_bytes("vnet1"), 43u);
  EXPECT_EQ(port.link_questions, 1);
}

TEST_F(LinkTableTest, AnEventTellsOfAnEnd) {
  table.refresh();
  port.interfaces.erase(port.interfaces.begin() + 1);
  port.events.push_back(message(RTM_DELLINK, link_payload(2, "vnet0", "tun")));
  table.refresh();
  EXPECT_EQ(table.find("vnet0"), nullptr);
  EXPECT_EQ(table.status().links, 2u);
  EXPECT_EQ(port.link_questions, 1);
}

TEST_F(LinkTableTest, ARenamedInterfaceKeepsItsCounters) {
  table.refresh();
  port.interfaces[1].name = "web";
  port.events.push_back(message(RTM_NEWLINK, link_payload(2, "web", "tun")));
  table.refresh();
  EXPECT_EQ(table.find("vnet0"), nullptr);
  EXPECT_EQ(rx_bytes("web"), 23u);
}

TEST_F(LinkTableTest, ANameThatWentToAnotherIsTheOthers) {
  table.refresh();
  // vnet0 is deleted and made anew between two cycles, and the events come in either order.
  port.interfaces[1] = {7, "vnet0", "tun", 70};
  port.events.push_back(message(RTM_NEWLINK, link_payload(7, "vnet0", "tun")));
  port.events.push_back(message(RTM_DELLINK, link_payload(2, "vnet0", "tun")));
  table.refresh();
  EXPECT_EQ(rx_bytes("vnet0"), 73u);
}

TEST_F(LinkTableTest, ABridgesNoticeOfAPortIsNoEnd) {
  table.refresh();
  port.events.push_back(message(RTM_DELLINK, link_payload(2, "vnet0", "", AF_BRIDGE)));
  port.events.push_back(message(RTM_NEWLINK, link_payload(2, "vnet0", "", AF_BRIDGE)));
  table.refresh();
  ASSERT_NE(table.find("vnet0"), nullptr);
  EXPECT_EQ(table.find("vnet0")->kind, LinkKind::tap);
}

TEST_F(LinkTableTest, LostEventsMakeItAskForAllNames) {
  table.refresh();
  port.interfaces[1] = {7, "vnet9", "tun", 70};
  port.event_trouble = LinkPort::Got::lost;
  table.refresh();
  EXPECT_EQ(port.link_questions, 2);
  EXPECT_EQ(table.find("vnet0"), nullptr);
  EXPECT_EQ(rx_bytes("vnet9"), 73u);
  EXPECT_EQ(table.status().links, 3u);
}

TEST_F(LinkTableTest, CountersOfAnUnknownInterfaceMakeItAskInTheNextCycle) {
  table.refresh();
  port.interfaces.push_back({4, "vnet1", "tun", 40});
  table.refresh();
  EXPECT_EQ(table.find("vnet1"), nullptr);
  table.refresh();
  EXPECT_EQ(rx_bytes("vnet1"), 43u);
  EXPECT_EQ(port.link_questions, 2);
}

TEST_F(LinkTableTest, WithoutEventsItAsksEachTime) {
  port.has_events = false;
  table.refresh();
  table.refresh();
  EXPECT_EQ(port.link_questions, 2);
  EXPECT_EQ(rx_bytes("vnet0"), 23u);
}

TEST_F(LinkTableTest, AnInconsistentListIsUsedAndAskedForAgain) {
  port.is_interrupted = true;
  table.refresh();
  EXPECT_EQ(rx_bytes("vnet0"), 23u);
  port.is_interrupted = false;
  table.refresh();
  table.refresh();
  EXPECT_EQ(port.link_questions, 2);
}

TEST_F(LinkTableTest, ARefusedQuestionGivesNoCounters) {
  table.refresh();
  port.error = 95;  // A kernel before 4.7 has no such statistics.
  table.refresh();
  EXPECT_EQ(table.find("vnet0"), nullptr);
  EXPECT_EQ(table.status().failed_dumps, 1u);
  EXPECT_EQ(port.forgotten, 1);
  port.error = 0;
  table.refresh();
  EXPECT_EQ(rx_bytes("vnet0"), 23u);
}

TEST_F(LinkTableTest, OldCountersAreNeverGivenAgain) {
  table.refresh();
  port.may_ask = false;
  table.refresh();
  EXPECT_EQ(table.find("vnet0"), nullptr);
}

TEST_F(LinkTableTest, AnswersWithoutAnEndAreForgotten) {
  port.says_done = false;
  table.refresh();
  EXPECT_EQ(port.forgotten, 2);
  EXPECT_EQ(table.status().failed_dumps, 2u);
}

TEST_F(LinkTableTest, CutDatagramsGiveNothing) {
  port.is_cut = true;
  table.refresh();
  EXPECT_EQ(table.find("vnet0"), nullptr);
}

TEST_F(LinkTableTest, AFloodOfEventsIsBounded) {
  table.refresh();
  for (int i = 0; i < 3 * LinkTable::kEventsMax; ++i)
    port.events.push_back(message(RTM_NEWLINK, link_payload(2, "vnet0", "tun")));
  table.refresh();
  EXPECT_EQ(port.link_questions, 2);
  EXPECT_EQ(port.events.size(), static_cast<std::size_t>(LinkTable::kEventsMax));
}

// Which of 100 + n is which: statistics_payload().
void check_view(LinkKind kind, std::int64_t rx_bytes, std::int64_t rx_drops, std::int64_t tx_packets,
                std::int64_t tx_errors) {
  const std::string payload = statistics_payload(1, 100);
  Link link;
  link.kind = kind;
  link.counters = parse_link_statistics({payload.data(), payload.size()})->counters;
  NicValues nic;
  ASSERT_TRUE(set_guest_view(link, nic));
  EXPECT_EQ(nic.integer(metric_id("nic.rxbytes")), rx_bytes);
  EXPECT_EQ(nic.integer(metric_id("nic.rxdrops")), rx_drops);
  EXPECT_EQ(nic.integer(metric_id("nic.txpackets")), tx_packets);
  EXPECT_EQ(nic.integer(metric_id("nic.txerrors")), tx_errors);
}

TEST(GuestView, OfATapIsTheHostsTurnedAround) { check_view(LinkKind::tap, 104, 108, 101, 105); }

TEST(GuestView, OfAMacvtapIsTheHosts) { check_view(LinkKind::macvtap, 103, 107 + 116, 102, 106); }

TEST(GuestView, OfAnotherKindIsNotKnown) {
  NicValues nic;
  EXPECT_FALSE(set_guest_view(Link{}, nic));
  EXPECT_FALSE(nic.has(metric_id("nic.rxbytes")));
}

}  // namespace
}  // namespace virtmeter
