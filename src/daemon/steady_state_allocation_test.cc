// Replaces operator new of the whole test program by one that counts. From the beat to the spool, the way a
// cycle goes in the daemon: source, sums, trends, lines, spool.
#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "base/test_counting_new.h"
#include "daemon/cycle_writer.h"
#include "daemon/daemon_report.h"
#include "sampler/sampler.h"
#include "source/replay/replay_source.h"

namespace virtmeter {
namespace {

// One daemon's way from beat to spool, with a sink that takes everything at once.
class Way {
 public:
  explicit Way(const std::string& replay_options) {
    const std::string lab = std::string(VIRTMETER_SOURCE_DIR) + "/src/source/replay/testdata/lab.lp";
    source_ = ReplaySource::open("replay://" + lab + replay_options, system_files(), clock_).value();
    EXPECT_TRUE(files_.make_folder("/state"));
    SpoolOptions options;
    options.folder = "/state/spool";
    spool_ = Spool::open(options, {"sink"}, files_, clock_).value();
    sampler_.emplace(*source_, clock_,
                     SamplerOptions{.host_tag = "a name longer than a string holds in itself"});
    writer_.emplace(*spool_, MissingPolicy::zero);
  }

  // Counts from the beat to the end of the append; what others do is not counted.
  void cycle() {
    SpoolReader& reader = spool_->reader("sink");
    test::counting = true;
    const Sampler::Sampled sampled = sampler_->sample();
    const SinkValues stats = stats_values(reader.counts(), 0, sampler_->stats(), 0);
    writer_->write(*sampled.cycle, "influx", stats);
    published_ = sampled.cycle;  // As the collector does.
    test::counting = false;
    spool_->write_pending();
    while (reader.counts().waiting > 0) {
      const auto batch = reader.take();
      reader.acknowledge(*batch, {.delivered = batch->line_count});
    }
    clock_.advance(std::chrono::seconds(5));
  }

 private:
  ManualClock clock_;
  MemoryFileSystem files_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<Spool> spool_;
  std::optional<Sampler> sampler_;
  std::optional<CycleWriter> writer_;
  std::shared_ptr<const Cycle> published_;
};

std::uint64_t allocations_of(const std::string& replay_options) {
  Way way(replay_options);
  for (int i = 0; i < 30; ++i) way.cycle();
  test::allocations = 0;
  for (int i = 0; i < 100; ++i) way.cycle();
  return test::allocations;
}

TEST(SteadyState, AllocatesNothingBetweenBeatAndSpool) {
  EXPECT_EQ(allocations_of("?vms=10&nics=2&disks=3"), 0u);
  EXPECT_EQ(allocations_of("?vms=250&nics=2&disks=3"), 0u) << "in several pieces";
}

TEST(SteadyState, WouldCountAllocationsIfThereWereAny) {
  EXPECT_GT(allocations_of("?vms=10&churn=60"), 0u) << "a VM that comes brings its names";
}

}  // namespace
}  // namespace virtmeter
