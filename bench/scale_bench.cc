// What a cycle of many simulated VMs costs from readings to bytes in the spool, on one core: replay source,
// sums and trends, lines, append; and beside it what the spool's own thread does to bring them to the disk.
// Usage: scale_bench RECORDING [VMS]...   One process for each size, so that memory is that size's own.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "daemon/cycle_writer.h"
#include "sampler/sampler.h"
#include "source/replay/replay_source.h"

namespace virtmeter {
namespace {

constexpr int kWarmUpCycles = 5;
constexpr int kCycles = 25;

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values.front(), values.back()};
}

// The parts of each cycle, in CPU time of this thread.
struct Parts {
  std::vector<double> read_and_derive;
  std::vector<double> encode_and_append;
  std::vector<double> both;
  std::vector<double> to_disk;
};

void measure(const std::string& address, const std::string& folder, std::uint64_t vms) {
  ManualClock clock;
  auto source = ReplaySource::open(address, system_files(), clock);
  SpoolOptions options;
  options.folder = folder;
  options.sync = SpoolSync::never;
  auto spool = Spool::open(options, {"sink"}, system_files(), clock);
  if (!source || !spool) {
    const Error& error = source ? spool.error() : source.error();
    std::fprintf(stderr, "scale_bench: %s\n", error.message.c_str());
    std::exit(66);
  }
  Sampler sampler(**source, clock, {});
  CycleWriter writer(**spool, MissingPolicy::zero);
  SpoolReader& reader = (*spool)->reader("sink");
  Parts parts;
  std::uint64_t lines = 0;
  for (int i = 0; i < kWarmUpCycles + kCycles; ++i) {
    const double start = cpu_ms();
    const Sampler::Sampled sampled = sampler.sample();
    const double derived = cpu_ms();
    lines = writer.write(*sampled.cycle, "file", {});
    const double appended = cpu_ms();
    (*spool)->write_pending();
    const double written = cpu_ms();
    while (reader.counts().waiting > 0) {
      const auto batch = reader.take();
      reader.acknowledge(*batch, {.delivered = batch->line_count});
    }
    clock.advance(std::chrono::seconds(5));
    if (i < kWarmUpCycles) continue;
    parts.read_and_derive.push_back(derived - start);
    parts.encode_and_append.push_back(appended - derived);
    parts.both.push_back(appended - start);
    parts.to_disk.push_back(written - appended);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const Spread both = spread_of(parts.both);
  std::printf("%6llu %7llu %9.2f %9.2f %9.2f %8.2f..%-8.2f %8.3f %9.2f %6ld\n",
              static_cast<unsigned long long>(vms), static_cast<unsigned long long>(lines),
              spread_of(parts.read_and_derive).median, spread_of(parts.encode_and_append).median, both.median,
              both.min, both.max, 1000 * both.median / static_cast<double>(vms),
              spread_of(parts.to_disk).median, usage.ru_maxrss / 1024);
}

// Runs in a child, and takes its folder away.
int measure_apart(const std::string& recording, std::uint64_t vms) {
  const pid_t child = fork();
  if (child == 0) {
    char folder[] = "/tmp/virtmeter-scale-XXXXXX";
    if (mkdtemp(folder) == nullptr) _exit(74);
    measure("replay://" + recording + "?nics=2&disks=3&vms=" + std::to_string(vms),
            folder + std::string("/spool"), vms);
    std::fflush(stdout);
    const auto entries = system_files().list(folder + std::string("/spool"), 10'000);
    for (const FolderEntry& entry : entries ? *entries : std::vector<FolderEntry>{})
      unlink((folder + ("/spool/" + entry.name)).c_str());
    rmdir((folder + std::string("/spool")).c_str());
    _exit(rmdir(folder) == 0 ? 0 : 74);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 70;
  return WEXITSTATUS(status);
}

}  // namespace
}  // namespace virtmeter

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: scale_bench RECORDING [VMS]...\n");
    return 64;
  }
  std::vector<std::uint64_t> sizes;
  for (int i = 2; i < argc; ++i) sizes.push_back(std::strtoull(argv[i], nullptr, 10));
  if (sizes.empty()) sizes = {120, 1'000, 3'000, 10'000};
  std::printf("CPU of one core per cycle, medians of %d; 2 NICs and 3 disks a VM\n", 25);
  std::printf(
      "   VMs   lines  read+sum  encode +  readings                      us per   to disk   peak\n"
      "                + derive    append  to spool  (min..max)            VM  (vm-spool)  MB\n");
  std::fflush(stdout);
  for (const std::uint64_t vms : sizes) {
    const int code = virtmeter::measure_apart(argv[1], vms);
    if (code != 0) return code;
  }
  return 0;
}
