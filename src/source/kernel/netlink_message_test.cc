#include "source/kernel/netlink_message.h"

#include <gtest/gtest.h>

#include "source/kernel/test_links.h"

namespace virtmeter {
namespace {

Bytes bytes_of(const std::string& text) { return {text.data(), text.size()}; }

TEST(NetlinkMessages, AreReadOneBehindTheOther) {
  const std::string datagram = message(16, "abc", 7, 2) + message(17, "", 8);
  NetlinkMessages messages(bytes_of(datagram));
  const auto first = messages.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type, 16);
  EXPECT_EQ(first->flags, 2);
  EXPECT_EQ(first->sequence, 7u);
  EXPECT_EQ(first->payload.size(), 3u);
  const auto second = messages.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->type, 17);
  EXPECT_FALSE(messages.next());
  EXPECT_FALSE(messages.damaged());
}

TEST(NetlinkMessages, EndAtAMessageThatDoesNotFit) {
  const std::string whole = message(16, "abcdefgh");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const std::string cut = message(1, "") + whole.substr(0, size);
    NetlinkMessages messages(bytes_of(cut));
    EXPECT_TRUE(messages.next());
    EXPECT_FALSE(messages.next()) << size;
    EXPECT_TRUE(messages.damaged()) << size;
    EXPECT_FALSE(messages.next());
  }
}

TEST(NetlinkMessages, ALengthOfNothingEndsThem) {
  const std::string zeros(64, '\0');
  NetlinkMessages messages(bytes_of(zeros));
  EXPECT_FALSE(messages.next());
  EXPECT_TRUE(messages.damaged());
}

TEST(LinkNotice, NamesIndexAndKind) {
  const auto check = [](const std::string& kind, LinkKind wanted) {
    const std::string payload = link_payload(5, "vnet0", kind);
    const auto notice = parse_link_notice(bytes_of(payload));
    ASSERT_TRUE(notice);
    EXPECT_EQ(notice->index, 5u);
    EXPECT_EQ(notice->name, "vnet0");
    EXPECT_EQ(notice->kind, wanted) << kind;
  };
  check("tun", LinkKind::tap);
  check("macvtap", LinkKind::macvtap);
  check("veth", LinkKind::other);
  check("macvlan", LinkKind::other);
  check("", LinkKind::other);
}

TEST(LinkNotice, OfABridgePortIsNone) {
  const std::string payload = link_payload(5, "vnet0", "", AF_BRIDGE);
  EXPECT_FALSE(parse_link_notice(bytes_of(payload)));
}

TEST(LinkNotice, WithoutANameOrIndexIsNone) {
  for (const std::string& payload : {link_payload(0, "vnet0", "tun"), link_payload(-1, "vnet0", "tun"),
                                     link_payload(5, "", "tun"), raw(ifinfomsg{})})
    EXPECT_FALSE(parse_link_notice(bytes_of(payload)));
}

TEST(LinkNotice, CutAnywhereGivesNothingOrWhatIsWhole) {
  const std::string payload = link_payload(5, "vnet0", "tun");
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const std::string cut = payload.substr(0, size);
    const auto notice = parse_link_notice(bytes_of(cut));
    EXPECT_TRUE(!notice || notice->name == "vnet0") << size;
  }
}

TEST(LinkNotice, AnAttributeWithAForgedLengthEndsTheSearch) {
  std::string payload = link_payload(5, "vnet0", "tun");
  for (const char length : {'\0', '\1', '\3', '\xff'}) {
    payload[sizeof(ifinfomsg)] = length;  // Of the attribute before the name.
    const auto notice = parse_link_notice(bytes_of(payload));
    EXPECT_TRUE(!notice || notice->name == "vnet0");
  }
}

TEST(LinkStatistics, AreTheColumnsOfProcNetDev) {
  const std::string payload = statistics_payload(9, 100);
  const auto statistics = parse_link_statistics(bytes_of(payload));
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->index, 9u);
  const LinkCounters& counters = statistics->counters;
  EXPECT_EQ(counters.rx_bytes, 103u);
  EXPECT_EQ(counters.rx_packets, 101u);
  EXPECT_EQ(counters.rx_errors, 105u);
  EXPECT_EQ(counters.rx_drops, 107u + 116u);
  EXPECT_EQ(counters.tx_bytes, 104u);
  EXPECT_EQ(counters.tx_packets, 102u);
  EXPECT_EQ(counters.tx_errors, 106u);
  EXPECT_EQ(counters.tx_drops, 108u);
}

TEST(LinkStatistics, OfAnOlderAndANewerKernelAreRead) {
  if_stats_msg head{};
  head.ifindex = 1;
  const auto with_size = [&](std::size_t size) {
    const std::string payload = raw(head) + attribute(IFLA_STATS_LINK_64, std::string(size, '\1'));
    return parse_link_statistics(bytes_of(payload)).has_value();
  };
  EXPECT_TRUE(with_size(128));
  EXPECT_TRUE(with_size(184));
  EXPECT_TRUE(with_size(400));
  EXPECT_FALSE(with_size(120));
  EXPECT_FALSE(with_size(0));
}

TEST(LinkStatistics, CutAnywhereGiveNothing) {
  const std::string payload = statistics_payload(9, 100);
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const std::string cut = payload.substr(0, size);
    EXPECT_FALSE(parse_link_statistics(bytes_of(cut))) << size;
  }
}

TEST(NetlinkError, IsAPositiveErrno) {
  const auto of = [](int code) {
    const std::string payload = raw(code);
    return netlink_error(bytes_of(payload));
  };
  EXPECT_EQ(of(-95), 95);
  EXPECT_EQ(of(0), 0);
  EXPECT_EQ(of(INT32_MIN), 0);
  EXPECT_EQ(netlink_error({}), 0);
}

TEST(NetlinkRequests, AskForAllInterfaces) {
  for (const auto& [request, type] :
       {std::pair(request_links(3), RTM_GETLINK), std::pair(request_statistics(3), RTM_GETSTATS)}) {
    nlmsghdr head{};
    std::memcpy(&head, request.data(), sizeof(head));
    EXPECT_EQ(head.nlmsg_type, type);
    EXPECT_EQ(head.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
    EXPECT_EQ(head.nlmsg_seq, 3u);
    EXPECT_LE(head.nlmsg_len, request.size());
  }
}

}  // namespace
}  // namespace virtmeter
