// The kernel's tier alone, for scripts/bench: reads what the kernel knows of a lab's VMs (CPU, memory, vCPUs,
// NICs) on the beat, encodes it, and appends it to a spool on disk with the daemon's settings. Who is there
// is asked of libvirt once, at the start, so no cycle costs libvirtd or a QEMU anything. Prints a line per
// reading: its microseconds, the VMs, the fields of all. Usage: kernel_tier URI CYCLES INTERVAL_MS
// SPOOL_FOLDER
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "codec/line_protocol.h"
#include "model/cycle.h"
#include "source/kernel/kernel_reader.h"
#include "source/libvirt/domain_xml.h"
#include "spool/spool.h"

namespace virtmeter {
namespace {

// Disks are left out of the layout: the kernel does not tell of them.
std::shared_ptr<const VmLayout> layout_of(virDomainPtr domain) {
  auto layout = std::make_shared<VmLayout>();
  char uuid[VIR_UUID_STRING_BUFLEN] = {};
  char* xml = virDomainGetXMLDesc(domain, 0);
  if (xml == nullptr || virDomainGetUUIDString(domain, uuid) < 0) return nullptr;
  const Result<DeviceList> devices = parse_domain_xml(xml);
  std::free(xml);
  if (!devices) return nullptr;
  layout->uuid_text = uuid;
  layout->uuid = parse_uuid(uuid).value_or(Uuid{});
  layout->domain_id = static_cast<int>(virDomainGetID(domain));
  layout->name = virDomainGetName(domain);
  layout->nics = devices->nics;
  return layout;
}

std::vector<std::shared_ptr<const VmLayout>> layouts_of(const char* uri) {
  std::vector<std::shared_ptr<const VmLayout>> layouts;
  virConnectPtr connection = virConnectOpenReadOnly(uri);
  if (connection == nullptr) return layouts;
  virDomainPtr* domains = nullptr;
  const int count = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
  for (int i = 0; i < count; ++i) {
    if (auto layout = layout_of(domains[i])) layouts.push_back(std::move(layout));
    virDomainFree(domains[i]);
  }
  std::free(domains);
  virConnectClose(connection);
  return layouts;
}

class KernelTier {
 public:
  KernelTier(const Clock& clock, Spool& spool)
      : reader_(KernelReader::of_this_host(clock)), clock_(clock), spool_(spool) {}

  void read(const std::vector<std::shared_ptr<const VmLayout>>& layouts) {
    cycle_.time = rounded_to_millisecond(clock_.wall_now());
    cycle_.vms.resize(layouts.size());
    reader_->begin_cycle();
    for (std::size_t i = 0; i < layouts.size(); ++i) {
      begin_sample(cycle_.vms[i], layouts[i]);
      reader_->read(cycle_.vms[i]);
      complete(cycle_.vms[i]);
    }
    reader_->end_cycle();
    lines_.clear();
    spool_.append(lines_, encoder_.encode(cycle_, lines_), cycle_.time);
  }

  // Each field has one "=" behind its line's first space; none of the names in a lab holds one.
  long fields() const {
    long count = 0;
    bool in_fields = false;
    for (const char c : lines_) {
      in_fields = c != '\n' && (in_fields || c == ' ');
      count += c == '=' && in_fields;
    }
    return count;
  }

 private:
  std::unique_ptr<KernelReader> reader_;
  const Clock& clock_;
  Spool& spool_;
  Cycle cycle_;
  LineProtocolEncoder encoder_{{MissingPolicy::omit}};
  std::string lines_;
};

void wait_until_us(long time_us) {
  const timespec time{time_us / 1'000'000, time_us % 1'000'000 * 1000};
  clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &time, nullptr);
}

long now_us(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock.boot_now().since_boot).count();
}

int run(const char* uri, long cycles, long interval_ms, const char* folder) {
  const auto layouts = layouts_of(uri);
  if (layouts.empty()) {
    std::fprintf(stderr, "kernel_tier: no VM: %s\n", virGetLastErrorMessage());
    return 69;
  }
  const SystemClock clock;
  SpoolOptions options;
  options.folder = folder;
  auto spool = Spool::open(options, {"bench"}, system_files(), clock);
  if (!spool) {
    std::fprintf(stderr, "kernel_tier: %s\n", spool.error().message.c_str());
    return 74;
  }
  // The process ends by a signal, as collectors do; then this thread ends with it.
  std::thread([&spool] { (*spool)->run(); }).detach();
  KernelTier tier(clock, **spool);
  const long start_us = now_us(clock);
  for (long cycle = 0; cycle < cycles; ++cycle) {
    wait_until_us(start_us + cycle * interval_ms * 1000);
    const long began_us = now_us(clock);
    tier.read(layouts);
    std::printf("%ld %zu %ld\n", now_us(clock) - began_us, layouts.size(), tier.fields());
    std::fflush(stdout);
  }
  std::_Exit(0);
}

}  // namespace
}  // namespace virtmeter

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: kernel_tier URI CYCLES INTERVAL_MS SPOOL_FOLDER\n");
    return 64;
  }
  return virtmeter::run(argv[1], std::strtol(argv[2], nullptr, 10), std::strtol(argv[3], nullptr, 10),
                        argv[4]);
}
