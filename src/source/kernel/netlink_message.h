// Bytes of an rtnetlink socket as messages about network interfaces, and the requests for them. Lengths are
// checked, whatever they say: a message that does not fit ends the reading. Pure functions, nothing is
// copied or allocated. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace virtmeter {

using Bytes = std::span<const char>;

struct NetlinkMessage {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  Bytes payload;
};

// The messages of one datagram in turn.
class NetlinkMessages {
 public:
  explicit NetlinkMessages(Bytes datagram) : rest_(datagram) {}

  std::optional<NetlinkMessage> next();
  // Whether it ended with bytes that are no message.
  bool damaged() const { return damaged_; }

 private:
  Bytes rest_;
  bool damaged_ = false;
};

// What moves an interface's packets, by its IFLA_INFO_KIND.
enum class LinkKind : std::uint8_t {
  tap,      // "tun": what it receives its guest has sent.
  macvtap,  // "macvtap": what it receives is for its guest.
  other,
};

// RTM_NEWLINK, RTM_DELLINK.
struct LinkNotice {
  std::uint32_t index = 0;
  std::string_view name;
  LinkKind kind = LinkKind::other;
};
// Nothing as well for a bridge's notice about a port, which is of another family and lacks the kind.
std::optional<LinkNotice> parse_link_notice(Bytes payload);

// The host's view of an interface's traffic, with the columns of /proc/net/dev.
struct LinkCounters {
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_errors = 0;
  std::uint64_t rx_drops = 0;  // rx_dropped + rx_missed_errors, as that file prints it.
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_errors = 0;
  std::uint64_t tx_drops = 0;
};

// RTM_NEWSTATS with IFLA_STATS_LINK_64.
struct LinkStatistics {
  std::uint32_t index = 0;
  LinkCounters counters;
};
std::optional<LinkStatistics> parse_link_statistics(Bytes payload);

// The error of an NLMSG_ERROR or NLMSG_DONE as a positive errno, 0 for none.
int netlink_error(Bytes payload);

// Requests for all interfaces.
using NetlinkRequest = std::array<char, 32>;
NetlinkRequest request_links(std::uint32_t sequence);
NetlinkRequest request_statistics(std::uint32_t sequence);

}  // namespace virtmeter
