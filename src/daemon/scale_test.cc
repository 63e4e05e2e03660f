// 10,000 VMs from reading to delivery in this process: every line that must be there, once.
#include <gtest/gtest.h>

#include <map>

#include "base/memory_file_system.h"
#include "daemon/cycle_writer.h"
#include "daemon/daemon_report.h"
#include "sampler/sampler.h"
#include "sink/delivery.h"
#include "source/replay/replay_source.h"

namespace virtmeter {
namespace {

// Takes all and counts it, by measurement.
class CountingSink final : public Sink {
 public:
  std::string_view name() const override { return "counting"; }
  std::string target() const override { return "nowhere"; }
  SendResult send(const Batch& batch) override {
    std::string_view rest = batch.bytes;
    while (!rest.empty()) {
      ++lines[std::string(rest.substr(0, rest.find_first_of(", ")))];
      rest.remove_prefix(rest.find('\n') + 1);
    }
    return {};
  }
  Status check() override { return Status::ok(); }
  void cancel() override {}

  std::map<std::string, std::uint64_t> lines;
};

TEST(Scale, DeliversEveryLineOfTenThousandVms) {
  constexpr std::uint64_t kVms = 10'000;
  ManualClock clock;
  const std::string lab = std::string(VIRTMETER_SOURCE_DIR) + "/src/source/replay/testdata/lab.lp";
  const auto source =
      ReplaySource::open("replay://" + lab + "?vms=10000&nics=2&disks=3", system_files(), clock);
  ASSERT_TRUE(source);
  MemoryFileSystem files;
  SpoolOptions options;
  options.memory_lines = 1'000'000;
  options.memory_bytes = 256u << 20;
  const auto spool = Spool::open(options, {"sink"}, files, clock);
  ASSERT_TRUE(spool);
  Sampler sampler(**source, clock, {});
  CycleWriter writer(**spool, MissingPolicy::zero);
  CountingSink sink;
  Delivery delivery((*spool)->reader("sink"), sink, clock);

  std::uint64_t written = 0;
  for (int cycle = 0; cycle < 2; ++cycle) {
    const Sampler::Sampled sampled = sampler.sample();
    const SinkValues stats = stats_values(delivery.status().lines, 0, sampler.stats(), 0);
    written += writer.write(*sampled.cycle, sink.name(), stats);
    clock.advance(std::chrono::seconds(5));
  }
  delivery.request_stop(clock.boot_now() + std::chrono::hours(1));
  delivery.run();

  const std::map<std::string, std::uint64_t> want = {{"vm_metrics", 2 * kVms},     {"vm_features", kVms},
                                                     {"vm_devices", 2 * 5 * kVms}, {"vm_totals", 2 * kVms},
                                                     {"collector_latency", 2},     {"collector_stats", 2}};
  EXPECT_EQ(sink.lines, want);
  const ReaderCounts counts = delivery.status().lines;
  EXPECT_EQ(counts.collected, written);
  EXPECT_EQ(counts.delivered, written);
  EXPECT_TRUE(counts.conserved());
}

}  // namespace
}  // namespace virtmeter
