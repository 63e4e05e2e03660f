#include "source/kernel/netlink_message.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace virtmeter {
namespace {

constexpr std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

template <typename T>
std::optional<T> take(Bytes bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

// The payload of the first attribute of that type, of attributes that lie one behind the other.
std::optional<Bytes> find_attribute(Bytes attributes, std::uint16_t type) {
  while (const auto head = take<nlattr>(attributes)) {
    const std::size_t length = head->nla_len;
    if (length < sizeof(nlattr) || length > attributes.size()) return std::nullopt;
    if ((head->nla_type & NLA_TYPE_MASK) == type)
      return attributes.subspan(sizeof(nlattr), length - sizeof(nlattr));
    attributes = attributes.subspan(std::min(aligned(length), attributes.size()));
  }
  return std::nullopt;
}

Bytes behind(Bytes bytes, std::size_t size) { return bytes.subspan(std::min(aligned(size), bytes.size())); }

std::string_view text_of(Bytes bytes) {
  const std::string_view text(bytes.data(), bytes.size());
  return text.substr(0, text.find('\0'));
}

LinkKind kind_of(Bytes attributes) {
  const auto info = find_attribute(attributes, IFLA_LINKINFO);
  const auto kind = info ? find_attribute(*info, IFLA_INFO_KIND) : std::nullopt;
  if (!kind) return LinkKind::other;
  if (text_of(*kind) == "tun") return LinkKind::tap;
  return text_of(*kind) == "macvtap" ? LinkKind::macvtap : LinkKind::other;
}

template <typename Body>
NetlinkRequest dump_request(std::uint16_t type, std::uint32_t sequence, const Body& body) {
  NetlinkRequest request{};
  static_assert(sizeof(nlmsghdr) + sizeof(Body) <= sizeof(request));
  nlmsghdr head{};
  head.nlmsg_len = sizeof(nlmsghdr) + sizeof(Body);
  head.nlmsg_type = type;
  head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  head.nlmsg_seq = sequence;
  std::memcpy(request.data(), &head, sizeof(head));
  std::memcpy(request.data() + sizeof(head), &body, sizeof(body));
  return request;
}

}  // namespace

std::optional<NetlinkMessage> NetlinkMessages::next() {
  if (rest_.empty()) return std::nullopt;
  const auto head = take<nlmsghdr>(rest_);
  if (!head || head->nlmsg_len < sizeof(nlmsghdr) || head->nlmsg_len > rest_.size()) {
    damaged_ = true;
    rest_ = {};
    return std::nullopt;
  }
  const Bytes whole = rest_.first(head->nlmsg_len);
  rest_ = rest_.subspan(std::min(aligned(whole.size()), rest_.size()));
  return NetlinkMessage{head->nlmsg_type, head->nlmsg_flags, head->nlmsg_seq,
                        whole.subspan(sizeof(nlmsghdr))};
}

std::optional<LinkNotice> parse_link_notice(Bytes payload) {
  const auto head = take<ifinfomsg>(payload);
  if (!head || head->ifi_family != AF_UNSPEC || head->ifi_index <= 0) return std::nullopt;
  const Bytes attributes = behind(payload, sizeof(ifinfomsg));
  const auto name = find_attribute(attributes, IFLA_IFNAME);
  if (!name || text_of(*name).empty()) return std::nullopt;
  return LinkNotice{static_cast<std::uint32_t>(head->ifi_index), text_of(*name), kind_of(attributes)};
}

std::optional<LinkStatistics> parse_link_statistics(Bytes payload) {
  const auto head = take<if_stats_msg>(payload);
  if (!head || head->ifindex == 0) return std::nullopt;
  const auto found = find_attribute(behind(payload, sizeof(if_stats_msg)), IFLA_STATS_LINK_64);
  // Kernels append fields to the structure; all that is needed was there from the start.
  constexpr std::size_t kNeeded = offsetof(rtnl_link_stats64, rx_missed_errors) + sizeof(std::uint64_t);
  if (!found || found->size() < kNeeded) return std::nullopt;
  rtnl_link_stats64 stats{};
  std::memcpy(&stats, found->data(), std::min(found->size(), sizeof(stats)));
  LinkStatistics statistics{.index = head->ifindex,
                            .counters = {.rx_bytes = stats.rx_bytes,
                                         .rx_packets = stats.rx_packets,
                                         .rx_errors = stats.rx_errors,
                                         .rx_drops = stats.rx_dropped + stats.rx_missed_errors,
                                         .tx_bytes = stats.tx_bytes,
                                         .tx_packets = stats.tx_packets,
                                         .tx_errors = stats.tx_errors,
                                         .tx_drops = stats.tx_dropped}};
  return statistics;
}

int netlink_error(Bytes payload) {
  const auto code = take<std::int32_t>(payload);
  return code && *code < 0 && *code > -4096 ? -*code : 0;
}

NetlinkRequest request_links(std::uint32_t sequence) {
  ifinfomsg body{};
  body.ifi_family = AF_UNSPEC;
  return dump_request(RTM_GETLINK, sequence, body);
}

NetlinkRequest request_statistics(std::uint32_t sequence) {
  if_stats_msg body{};
  body.family = AF_UNSPEC;
  body.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
  return dump_request(RTM_GETSTATS, sequence, body);
}

}  // namespace virtmeter
