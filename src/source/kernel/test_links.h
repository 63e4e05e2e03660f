// Netlink datagrams made by hand and a LinkPort that plays them, for tests. Not thread-safe.
#pragma once

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "source/kernel/link_port.h"

namespace virtmeter {

inline std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return bytes;
}

template <typename T>
std::string raw(const T& value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

inline std::string attribute(std::uint16_t type, const std::string& payload) {
  const nlattr head{static_cast<std::uint16_t>(sizeof(nlattr) + payload.size()), type};
  return padded(raw(head) + payload);
}

inline std::string message(std::uint16_t type, const std::string& payload, std::uint32_t sequence = 0,
                           std::uint16_t flags = 0) {
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof(head) + payload.size());
  head.nlmsg_type = type;
  head.nlmsg_flags = flags;
  head.nlmsg_seq = sequence;
  return padded(raw(head) + payload);
}

inline std::string link_payload(int index, const std::string& name, const std::string& kind,
                                unsigned char family = 0) {
  ifinfomsg head{};
  head.ifi_family = family;
  head.ifi_index = index;
  std::string payload = raw(head) + attribute(IFLA_MTU, raw(1500)) + attribute(IFLA_IFNAME, name + '\0');
  if (!kind.empty()) {
    payload += attribute(IFLA_LINKINFO | NLA_F_NESTED, attribute(IFLA_INFO_KIND, kind + '\0'));
  }
  return payload;
}

// Counters that are all different: base + 1 rx_packets, + 2 tx_packets, + 3 rx_bytes, + 4 tx_bytes, + 5
// rx_errors,
// + 6 tx_errors, + 7 rx_dropped, + 8 tx_dropped, + 16 rx_missed_errors.
inline std::string statistics_payload(int index, std::uint64_t base) {
  if_stats_msg head{};
  head.ifindex = static_cast<std::uint32_t>(index);
  rtnl_link_stats64 stats{};
  stats.rx_packets = base + 1;
  stats.tx_packets = base + 2;
  stats.rx_bytes = base + 3;
  stats.tx_bytes = base + 4;
  stats.rx_errors = base + 5;
  stats.tx_errors = base + 6;
  stats.rx_dropped = base + 7;
  stats.tx_dropped = base + 8;
  stats.rx_missed_errors = base + 16;
  return raw(head) + attribute(IFLA_STATS_LINK_64, raw(stats));
}

// A kernel with interfaces that a test adds, renames and removes.
class TestLinkPort final : public LinkPort {
 public:
  struct Interface {
    int index = 0;
    std::string name;
    std::string kind;
    std::uint64_t base = 0;
  };
  std::vector<Interface> interfaces;
  std::deque<std::string> events;
  Got event_trouble = Got::nothing;  // Given once, before the events.
  bool has_events = true;            // False: no socket for events.
  bool may_ask = true;
  bool is_interrupted = false;  // The dump of links is flagged inconsistent.
  int error = 0;                // Every dump is answered with it.
  bool is_cut = false;          // Datagrams end in the middle of a message.
  bool says_done = true;
  int link_questions = 0;
  int forgotten = 0;

  bool ask(const NetlinkRequest& request) override {
    nlmsghdr head{};
    std::memcpy(&head, request.data(), sizeof(head));
    if (head.nlmsg_type == RTM_GETLINK) ++link_questions;
    answers_.clear();
    if (!may_ask) return false;
    if (error != 0) {
      answers_.push_back(message(NLMSG_ERROR, raw(-error) + raw(head), head.nlmsg_seq));
      return true;
    }
    for (const Interface& interface : interfaces) answers_.push_back(answer(head, interface));
    if (says_done) answers_.push_back(message(NLMSG_DONE, raw(0), head.nlmsg_seq));
    return true;
  }
  Got next_answer(Bytes& into) override { return next(answers_, into); }
  void forget_question() override {
    ++forgotten;
    answers_.clear();
  }
  Got next_event(Bytes& into) override {
    if (!has_events) return Got::failed;
    if (event_trouble != Got::nothing) return std::exchange(event_trouble, Got::nothing);
    return next(events, into);
  }

 private:
  std::string answer(const nlmsghdr& head, const Interface& interface) const {
    const bool is_links = head.nlmsg_type == RTM_GETLINK;
    const std::uint16_t flags = is_links && is_interrupted ? NLM_F_MULTI | NLM_F_DUMP_INTR : NLM_F_MULTI;
    std::string bytes =
        is_links ? message(RTM_NEWLINK, link_payload(interface.index, interface.name, interface.kind),
                           head.nlmsg_seq, flags)
                 : message(RTM_NEWSTATS, statistics_payload(interface.index, interface.base), head.nlmsg_seq,
                           flags);
    if (is_cut) bytes.resize(bytes.size() - 5);
    return bytes;
  }
  Got next(std::deque<std::string>& from, Bytes& into) {
    if (from.empty()) return Got::nothing;
    now_ = from.front();
    from.pop_front();
    into = Bytes(now_.data(), now_.size());
    return Got::data;
  }

  std::deque<std::string> answers_;
  std::string now_;
};

}  // namespace virtmeter
