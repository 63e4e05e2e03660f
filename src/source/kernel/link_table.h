// The host's network interfaces and their counters: one statistics dump a cycle, names and kinds kept by link
// events. After any doubt about names (events lost, an interface nobody told of, a dump that the kernel calls
// inconsistent) all are asked for again, at most once a cycle. A cycle without changes allocates nothing.
// Collector thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "model/values.h"
#include "source/kernel/link_port.h"

namespace virtmeter {

struct Link {
  std::string name;
  LinkKind kind = LinkKind::other;
  LinkCounters counters;
  std::uint64_t counted_in = 0;  // The refresh that gave the counters.
  std::uint64_t listed_in = 0;   // The dump of names that had it.
};

struct LinkTableStatus {
  std::uint64_t links = 0;
  std::uint64_t link_dumps = 0;   // Of names and kinds; one at the start, then one for each doubt.
  std::uint64_t link_events = 0;  // Datagrams.
  std::uint64_t failed_dumps = 0;
};

class LinkTable {
 public:
  // More are no host that QEMU runs on; what is beyond is not found.
  static constexpr std::size_t kLinksMax = 100'000;
  // Datagrams of events taken in one cycle; when there are more, all names are asked for instead.
  static constexpr int kEventsMax = 4'096;

  // `port` must outlive the table.
  explicit LinkTable(LinkPort& port) : port_(port) {}

  // Once a cycle.
  void refresh();
  // The interface of that name in our network namespace, with counters of the last refresh; else null.
  const Link* find(std::string_view name) const;

  LinkTableStatus status() const;

 private:
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };
  enum class Dump : std::uint8_t { complete, inconsistent, failed };

  void drain_events();
  void dump_links();
  void dump_statistics();
  template <typename Visit>
  Dump dump(const NetlinkRequest& request, std::uint16_t type, Visit visit);
  void put(const LinkNotice& notice);
  void remove(std::uint32_t index);
  void forget_unlisted();

  LinkPort& port_;
  std::unordered_map<std::uint32_t, Link> links_;
  std::unordered_map<std::string, std::uint32_t, NameHash, std::equal_to<>> by_name_;
  bool doubtful_ = true;
  std::uint32_t sequence_ = 0;
  std::uint64_t refreshes_ = 0;
  LinkTableStatus counts_;
};

// Gives a NIC the counters of its interface from the guest's side, as libvirt does: what a tap has received
// the guest has sent; a macvtap sees as its guest does (libvirt: virNetDevTapInterfaceStats, swapped unless
// virDomainNetTypeSharesHostView). False for any other kind, of which the kernel does not tell which it is.
bool set_guest_view(const Link& link, NicValues& nic);

}  // namespace virtmeter
