#include "daemon/cycle_writer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/memory_file_system.h"

namespace virtmeter {
namespace {

constexpr WallTime kTime{1'700'000'000'000'000'000};

Cycle cycle_of(int vms) {
  Cycle cycle;
  cycle.time = kTime;
  cycle.collector.set_real(metric_id("collector_latency.loop_latency_ms"), 1);
  for (int i = 0; i < vms; ++i) {
    auto layout = std::make_shared<VmLayout>();
    layout->domain_id = i;
    layout->name = "vm-" + std::to_string(i);
    layout->uuid_text = layout->uuid.text();
    layout->disks = {"vda"};
    begin_sample(cycle.vms.emplace_back(), layout);
  }
  return cycle;
}

// What the spool got: all its batches, joined.
struct Spooled {
  std::string text;
  std::uint64_t lines = 0;
  std::uint64_t returned = 0;
};

Spooled spooled(const Cycle& cycle, const SinkValues& stats) {
  ManualClock clock;
  MemoryFileSystem files;
  SpoolOptions options;
  options.memory_lines = 1'000'000;
  auto spool = Spool::open(options, {"sink"}, files, clock);
  EXPECT_TRUE(spool);
  CycleWriter writer(**spool, MissingPolicy::zero);
  Spooled got;
  got.returned = writer.write(cycle, "influx", stats);
  SpoolReader& reader = (*spool)->reader("sink");
  reader.close();
  while (const auto batch = reader.take()) {
    got.text += batch->bytes;
    got.lines += batch->line_count;
    reader.acknowledge(*batch, {.delivered = batch->line_count});
  }
  return got;
}

SinkValues some_stats() {
  SinkValues stats;
  stats.set_integer(metric_id("collector_stats.collected"), 7);
  return stats;
}

TEST(CycleWriter, PutsTheDaemonsOwnLineFirst) {
  const Spooled got = spooled(cycle_of(1), some_stats());
  EXPECT_EQ(got.text.substr(0, got.text.find('\n')),
            "collector_stats,sink=influx collected=7i 1700000000000000000");
  EXPECT_EQ(got.lines, 5u) << "and vm_metrics, vm_devices, vm_totals, collector_latency";
  EXPECT_EQ(got.returned, got.lines);
}

TEST(CycleWriter, WritesALargeCycleInPiecesWithoutALineMoreOrLess) {
  const Cycle cycle = cycle_of(2000);
  std::string want = spooled(cycle_of(0), some_stats()).text;
  want.resize(want.find('\n') + 1);
  const std::size_t lines = LineProtocolEncoder({}).encode(cycle, want);
  ASSERT_GT(want.size(), 3 * LineProtocolEncoder::kPieceBytes);
  const Spooled got = spooled(cycle, some_stats());
  EXPECT_EQ(got.text, want);
  EXPECT_EQ(got.lines, lines + 1);
  EXPECT_EQ(got.returned, lines + 1);
}

TEST(CycleWriter, WritesACycleWithoutVms) {
  EXPECT_EQ(spooled(cycle_of(0), {}).text, "collector_latency loop_latency_ms=1 1700000000000000000\n");
}

}  // namespace
}  // namespace virtmeter
