#include "source/kernel/link_table.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <utility>

namespace virtmeter {
namespace {

// 100,000 links come in fewer datagrams; a kernel that sends more than this never ends.
constexpr int kDatagramsMax = 10'000;

}  // namespace

void LinkTable::refresh() {
  ++refreshes_;
  drain_events();
  if (doubtful_) {
    dump_links();
    // Events from before the dump are older than it, and those after newer: at the end of the queue all is
    // true.
    drain_events();
  }
  dump_statistics();
}

const Link* LinkTable::find(std::string_view name) const {
  const auto index = by_name_.find(name);
  if (index == by_name_.end()) return nullptr;
  const auto link = links_.find(index->second);
  if (link == links_.end() || link->second.counted_in != refreshes_) return nullptr;
  return &link->second;
}

LinkTableStatus LinkTable::status() const {
  LinkTableStatus status = counts_;
  status.links = links_.size();
  return status;
}

void LinkTable::drain_events() {
  for (int i = 0; i < kEventsMax; ++i) {
    Bytes datagram;
    const LinkPort::Got got = port_.next_event(datagram);
    if (got == LinkPort::Got::nothing) return;
    if (got != LinkPort::Got::data) {
      doubtful_ = true;
      if (got == LinkPort::Got::failed) return;
      continue;
    }
    ++counts_.link_events;
    NetlinkMessages messages(datagram);
    while (const auto message = messages.next()) {
      const auto notice = parse_link_notice(message->payload);
      if (!notice) continue;
      if (message->type == RTM_NEWLINK) put(*notice);
      if (message->type == RTM_DELLINK) remove(notice->index);
    }
    doubtful_ = doubtful_ || messages.damaged();
  }
  doubtful_ = true;
}

void LinkTable::dump_links() {
  ++counts_.link_dumps;
  doubtful_ = false;
  const Dump end = dump(request_links(++sequence_), RTM_NEWLINK, [this](Bytes payload) {
    const auto notice = parse_link_notice(payload);
    if (!notice) return;
    put(*notice);
    const auto link = links_.find(notice->index);
    if (link != links_.end()) link->second.listed_in = counts_.link_dumps;
  });
  if (end == Dump::complete) return forget_unlisted();
  doubtful_ = true;
}

void LinkTable::dump_statistics() {
  const Dump end = dump(request_statistics(++sequence_), RTM_NEWSTATS, [this](Bytes payload) {
    const auto statistics = parse_link_statistics(payload);
    if (!statistics) return;
    const auto link = links_.find(statistics->index);
    if (link == links_.end()) {
      doubtful_ = doubtful_ || links_.size() < kLinksMax;
      return;
    }
    link->second.counters = statistics->counters;
    link->second.counted_in = refreshes_;
  });
  // Each interface's counters are whole in any case; one that was left out is not found.
  static_cast<void>(end);
}

template <typename Visit>
LinkTable::Dump LinkTable::dump(const NetlinkRequest& request, std::uint16_t type, Visit visit) {
  bool is_consistent = true;
  bool is_sent = port_.ask(request);
  for (int i = 0; is_sent && i < kDatagramsMax; ++i) {
    Bytes datagram;
    if (port_.next_answer(datagram) != LinkPort::Got::data) break;
    NetlinkMessages messages(datagram);
    while (const auto message = messages.next()) {
      if (message->sequence != sequence_) continue;
      if ((message->flags & NLM_F_DUMP_INTR) != 0) is_consistent = false;
      if (message->type == type) visit(message->payload);
      if (message->type == NLMSG_DONE && netlink_error(message->payload) == 0)
        return is_consistent ? Dump::complete : Dump::inconsistent;
      if (message->type == NLMSG_DONE || message->type == NLMSG_ERROR) is_sent = false;
    }
    if (messages.damaged()) break;
  }
  ++counts_.failed_dumps;
  port_.forget_question();
  return Dump::failed;
}

void LinkTable::put(const LinkNotice& notice) {
  const auto found = links_.find(notice.index);
  if (found != links_.end() && found->second.name == notice.name) {
    found->second.kind = notice.kind;
    by_name_.find(notice.name)->second = notice.index;
    return;
  }
  if (found != links_.end()) remove(notice.index);  // Renamed.
  if (links_.size() >= kLinksMax) return;
  const std::string name(notice.name);
  links_[notice.index] = {.name = name, .kind = notice.kind, .counters = {}, .counted_in = 0, .listed_in = 0};
  by_name_[name] = notice.index;
}

void LinkTable::remove(std::uint32_t index) {
  const auto link = links_.find(index);
  if (link == links_.end()) return;
  // The name may be another's by now.
  const auto name = by_name_.find(link->second.name);
  if (name != by_name_.end() && name->second == index) by_name_.erase(name);
  links_.erase(link);
}

void LinkTable::forget_unlisted() {
  for (auto link = links_.begin(); link != links_.end();) {
    const auto here = link++;
    if (here->second.listed_in != counts_.link_dumps) remove(here->first);
  }
}

bool set_guest_view(const Link& link, NicValues& nic) {
  if (link.kind == LinkKind::other) return false;
  LinkCounters seen = link.counters;
  if (link.kind == LinkKind::tap) {
    std::swap(seen.rx_bytes, seen.tx_bytes);
    std::swap(seen.rx_packets, seen.tx_packets);
    std::swap(seen.rx_errors, seen.tx_errors);
    std::swap(seen.rx_drops, seen.tx_drops);
  }
  nic.set_unsigned(metric_id("nic.rxbytes"), seen.rx_bytes);
  nic.set_unsigned(metric_id("nic.rxpackets"), seen.rx_packets);
  nic.set_unsigned(metric_id("nic.rxerrors"), seen.rx_errors);
  nic.set_unsigned(metric_id("nic.rxdrops"), seen.rx_drops);
  nic.set_unsigned(metric_id("nic.txbytes"), seen.tx_bytes);
  nic.set_unsigned(metric_id("nic.txpackets"), seen.tx_packets);
  nic.set_unsigned(metric_id("nic.txerrors"), seen.tx_errors);
  nic.set_unsigned(metric_id("nic.txdrops"), seen.tx_drops);
  return true;
}

}  // namespace virtmeter
