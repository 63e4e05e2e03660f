// The least a libvirt client can do for an answer: list the active domains, one bulk request per 32 of them
// (the chunks that virtmeter makes), and free what comes back. No event loop, no names looked at, nothing
// kept. virtmeter's own CPU and the CPU it causes are measured against it. Prints a line per reading: its
// microseconds, the domains, the parameters that came. Usage: bare_client URI GROUPS CYCLES INTERVAL_MS
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace {

constexpr int kChunk = 32;
constexpr unsigned int kFlags =
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;

struct Group {
  std::string_view name;
  unsigned int bit;
};
constexpr std::array<Group, 6> kGroups = {{
    {"state", VIR_DOMAIN_STATS_STATE},
    {"cpu", VIR_DOMAIN_STATS_CPU_TOTAL},
    {"balloon", VIR_DOMAIN_STATS_BALLOON},
    {"vcpu", VIR_DOMAIN_STATS_VCPU},
    {"interface", VIR_DOMAIN_STATS_INTERFACE},
    {"block", VIR_DOMAIN_STATS_BLOCK},
}};

struct Count {
  int domains = 0;
  long parameters = 0;
};

// "state,cpu" as libvirt's mask; 0 where a word is no group.
unsigned int groups_of(std::string_view text) {
  unsigned int mask = 0;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    const auto* group = std::find_if(kGroups.begin(), kGroups.end(),
                                     [word](const Group& candidate) { return candidate.name == word; });
    if (group == kGroups.end()) return 0;
    mask |= group->bit;
    if (comma == std::string_view::npos) return mask;
    text.remove_prefix(comma + 1);
  }
}

bool read_chunk(virDomainPtr* domains, int count, unsigned int groups, Count& total) {
  virDomainPtr chunk[kChunk + 1] = {};
  std::copy(domains, domains + count, chunk);
  virDomainStatsRecordPtr* records = nullptr;
  const int answered = virDomainListGetStats(chunk, groups, &records, kFlags);
  if (answered < 0) return false;
  total.domains += answered;
  for (int i = 0; i < answered; ++i) total.parameters += records[i]->nparams;
  virDomainStatsRecordListFree(records);
  return true;
}

bool read_all(virConnectPtr connection, unsigned int groups, Count& total) {
  virDomainPtr* domains = nullptr;
  const int count = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
  if (count < 0) return false;
  bool good = true;
  for (int first = 0; first < count; first += kChunk) {
    good = read_chunk(domains + first, std::min(kChunk, count - first), groups, total) && good;
  }
  for (int i = 0; i < count; ++i) virDomainFree(domains[i]);
  std::free(domains);
  return good;
}

long now_us() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

void wait_until_us(long time_us) {
  const timespec time{time_us / 1'000'000, time_us % 1'000'000 * 1000};
  clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &time, nullptr);
}

bool read_on_the_beat(virConnectPtr connection, unsigned int groups, long cycles, long interval_ms) {
  const long start_us = now_us();
  for (long cycle = 0; cycle < cycles; ++cycle) {
    wait_until_us(start_us + cycle * interval_ms * 1000);
    Count total;
    const long began_us = now_us();
    if (!read_all(connection, groups, total)) return false;
    std::printf("%ld %d %ld\n", now_us() - began_us, total.domains, total.parameters);
    std::fflush(stdout);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned int groups = argc == 5 ? groups_of(argv[2]) : 0;
  if (groups == 0) {
    std::fprintf(stderr,
                 "usage: bare_client URI GROUPS CYCLES INTERVAL_MS\n"
                 "GROUPS: state, cpu, balloon, vcpu, interface and block, with commas between\n");
    return 64;
  }
  virConnectPtr connection = virConnectOpenReadOnly(argv[1]);
  if (connection == nullptr) return 69;
  const bool good = read_on_the_beat(connection, groups, std::strtol(argv[3], nullptr, 10),
                                     std::strtol(argv[4], nullptr, 10));
  if (!good) std::fprintf(stderr, "bare_client: %s\n", virGetLastErrorMessage());
  virConnectClose(connection);
  return good ? 0 : 69;
}
