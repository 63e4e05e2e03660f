// Google Benchmark for the kernel reader: a cycle over N stand-ins of QEMU (this program started again with a
// VM's words and QEMU's thread names) with two taps each. Without the right to make taps it measures the
// processes only.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "source/kernel/kernel_reader.h"

namespace virtmeter {
namespace {

constexpr const char* kStandIn = "stand-in";

std::string tap_name(std::size_t number) { return "vlb" + std::to_string(number); }

// A QEMU's main thread, two vCPUs and two others, all asleep.
[[noreturn]] void stand_in() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "qemu-system-x86");
  for (const char* name : {"CPU 0/KVM", "CPU 1/KVM", "IO mon_iothread", "call_rcu"}) {
    std::thread([name] {
      prctl(PR_SET_NAME, name);
      while (true) pause();
    }).detach();
  }
  while (true) pause();
}

class Host {
 public:
  explicit Host(std::size_t vms) {
    for (std::size_t i = 0; i < vms; ++i) start(i);
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() {
    for (const pid_t pid : pids_) kill(pid, SIGKILL);
    for (const pid_t pid : pids_) waitpid(pid, nullptr, 0);
    for (const int tap : taps_) close(tap);
  }
  std::vector<VmSample>& samples() { return samples_; }
  const std::vector<pid_t>& pids() const { return pids_; }

 private:
  void start(std::size_t number) {
    auto layout = std::make_shared<VmLayout>();
    for (std::size_t i = 0; i < 8; ++i) layout->uuid.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    layout->uuid.bytes[15] = static_cast<std::uint8_t>(getpid());
    layout->uuid_text = layout->uuid.text();
    layout->domain_id = static_cast<int>(number);
    layout->name = "vm" + std::to_string(number);
    for (std::size_t i = 0; i < 2; ++i) add_tap(tap_name(2 * number + i), *layout);
    spawn(*layout);
    VmSample sample;
    begin_sample(sample, layout);
    samples_.push_back(std::move(sample));
  }
  void add_tap(const std::string& name, VmLayout& layout) {
    const int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (tap < 0) return;
    if (ioctl(tap, TUNSETIFF, &request) == 0) {
      taps_.push_back(tap);
      layout.nics.push_back(name);
    } else {
      close(tap);
    }
  }
  void spawn(const VmLayout& layout) {
    std::vector<std::string> words = {kStandIn, "-name", "guest=" + layout.name, "-uuid", layout.uuid_text};
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    pid_t pid = 0;
    if (posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, pointers.data(), environ) == 0)
      pids_.push_back(pid);
  }

  std::vector<pid_t> pids_;
  std::vector<int> taps_;
  std::vector<VmSample> samples_;
};

// A cycle every 5 s, long after the start of the VMs.
class Beat {
 public:
  Beat() { clock_.advance(std::chrono::hours(100'000)); }
  void cycle(KernelReader& reader, std::vector<VmSample>& samples);
  const Clock& clock() const { return clock_; }

 private:
  ManualClock clock_;
};

void Beat::cycle(KernelReader& reader, std::vector<VmSample>& samples) {
  clock_.advance(std::chrono::seconds(5));
  reader.begin_cycle();
  for (VmSample& sample : samples) benchmark::DoNotOptimize(reader.read(sample));
  reader.end_cycle();
}

// All the kernel tells of N VMs with 2 vCPUs and 2 NICs: 3 files a VM and one dump.
void kernel_cycle(benchmark::State& state) {
  Beat beat;
  Host host(static_cast<std::size_t>(state.range(0)));
  const auto reader = KernelReader::of_this_host(beat.clock());
  // The first pass may come before the last stand-in bears its words.
  for (int i = 0; i < 5'000 && reader->status().vms_followed < host.samples().size(); ++i) {
    usleep(1'000);
    beat.cycle(*reader, host.samples());
  }
  for (auto _ : state) beat.cycle(*reader, host.samples());
  const FastStatus status = reader->status();
  state.counters["followed"] = static_cast<double>(status.vms_followed);
  state.counters["nics_left"] = static_cast<double>(status.nics_left);
  state.counters["files"] = static_cast<double>(status.files_open);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(kernel_cycle)->Arg(12)->Arg(120)->Arg(600)->Unit(benchmark::kMicrosecond);

// The same files read by nothing but pread: what the kernel itself takes for it.
void bare_preads(benchmark::State& state) {
  Host host(static_cast<std::size_t>(state.range(0)));
  usleep(300'000);
  std::vector<int> files;
  for (const pid_t pid : host.pids()) {
    const std::string root = "/proc/" + std::to_string(pid);
    files.push_back(open((root + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
    for (const pid_t thread : {pid, pid})
      files.push_back(
          open((root + "/task/" + std::to_string(thread) + "/schedstat").c_str(), O_RDONLY | O_CLOEXEC));
  }
  std::array<char, 2048> buffer;
  for (auto _ : state) {
    for (const int file : files) benchmark::DoNotOptimize(pread(file, buffer.data(), buffer.size(), 0));
  }
  for (const int file : files) close(file);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bare_preads)->Arg(120)->Unit(benchmark::kMicrosecond);

// The part of it that asks for all network interfaces of this host; `links` says how many.
void link_counters(benchmark::State& state) {
  Host host(static_cast<std::size_t>(state.range(0)));
  SystemLinkPort port;
  LinkTable links(port);
  for (auto _ : state) links.refresh();
  state.counters["links"] = static_cast<double>(links.status().links);
}
BENCHMARK(link_counters)->Arg(0)->Arg(120)->Unit(benchmark::kMicrosecond);

// One pass over all processes of this host.
void process_pass(benchmark::State& state) {
  Host host(static_cast<std::size_t>(state.range(0)));
  SystemKernelFiles files;
  FileBudget budget(1'000);
  const KernelAccess access{files, budget};
  ManualClock clock;
  const ProcessFinderOptions options;
  ProcessFinder finder(access, clock, options);
  VmLayout missing;
  missing.name = "none";
  FoundProcess found;
  for (auto _ : state) {
    finder.begin_cycle();
    clock.advance(std::chrono::seconds(2));
    benchmark::DoNotOptimize(finder.find(missing, found));
  }
}
BENCHMARK(process_pass)->Arg(120)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace virtmeter

int main(int argc, char** argv) {
  if (argc > 0 && std::string_view(argv[0]) == virtmeter::kStandIn) virtmeter::stand_in();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
