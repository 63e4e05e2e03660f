// The least a libvirt client can do for the same answer: the very calls virtmeter makes in a steady cycle
// (list the active domains, one bulk request per 32 of them, the same groups and flags), and free what comes
// back. No event loop, no names looked at, nothing kept. virtmeter's own CPU is measured against it. Usage:
// bare_client URI CYCLES INTERVAL_MS
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

constexpr int kChunk = 32;
constexpr unsigned int kGroups = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL |
                                 VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU |
                                 VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK;
constexpr unsigned int kFlags =
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;

bool read_chunk(virDomainPtr* domains, int count) {
  virDomainPtr chunk[kChunk + 1] = {};
  std::copy(domains, domains + count, chunk);
  virDomainStatsRecordPtr* records = nullptr;
  if (virDomainListGetStats(chunk, kGroups, &records, kFlags) < 0) return false;
  virDomainStatsRecordListFree(records);
  return true;
}

bool read_all(virConnectPtr connection) {
  virDomainPtr* domains = nullptr;
  const int count = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
  if (count < 0) return false;
  bool good = true;
  for (int first = 0; first < count; first += kChunk) {
    good = read_chunk(domains + first, std::min(kChunk, count - first)) && good;
  }
  for (int i = 0; i < count; ++i) virDomainFree(domains[i]);
  std::free(domains);
  return good;
}

void wait_ms(long ms) {
  const timespec pause{ms / 1000, ms % 1000 * 1'000'000};
  clock_nanosleep(CLOCK_BOOTTIME, 0, &pause, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bare_client URI CYCLES INTERVAL_MS\n");
    return 64;
  }
  virConnectPtr connection = virConnectOpenReadOnly(argv[1]);
  if (connection == nullptr) return 69;
  const long cycles = std::strtol(argv[2], nullptr, 10);
  const long interval_ms = std::strtol(argv[3], nullptr, 10);
  for (long cycle = 0; cycle < cycles; ++cycle) {
    if (cycle > 0) wait_ms(interval_ms);
    if (!read_all(connection)) {
      std::fprintf(stderr, "bare_client: %s\n", virGetLastErrorMessage());
      return 69;
    }
  }
  virConnectClose(connection);
  return 0;
}
