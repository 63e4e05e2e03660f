// The spool as the daemon uses it: a producer, the writer and two readers, each in a thread of its own, over
// a real folder. For the thread sanitizer above all; what arrives is counted, too.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "spool/test_spool.h"

namespace virtmeter {
namespace {

TEST(SpoolThreads, LoseNothingBetweenThem) {
  std::string folder = testing::TempDir() + "virtmeter-spool-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const SystemClock clock;
  SpoolOptions options;
  options.folder = folder;
  options.segment_bytes = 4096;
  options.memory_lines = 300;
  options.batch_lines = 100;
  options.batch_wait = std::chrono::milliseconds(1);
  options.drain_lines_per_sec = 1'000'000;
  auto opened = Spool::open(options, {"a", "b"}, system_files(), clock);
  ASSERT_TRUE(opened);
  Spool& spool = *opened.value();
  constexpr std::uint64_t kCycles = 300;
  constexpr std::uint64_t kLines = 50;

  const auto read = [&](std::string_view name) {
    SpoolReader& reader = spool.reader(name);
    while (const auto batch = reader.take()) reader.acknowledge(*batch, {.delivered = batch->line_count});
  };
  std::thread writer([&] { spool.run(); });
  std::thread first([&] { read("a"); });
  std::thread second([&] { read("b"); });
  std::thread producer([&] {
    for (std::uint64_t cycle = 0; cycle < kCycles; ++cycle) {
      std::string lines;
      for (std::uint64_t i = 0; i < kLines; ++i) lines += TestSpool::line(cycle * kLines + i);
      spool.append(lines, kLines, clock.wall_now());
      EXPECT_TRUE(spool.reader("a").counts().conserved());
      static_cast<void>(spool.status());
    }
  });
  producer.join();
  spool.reader("a").close();
  spool.reader("b").close();
  first.join();
  second.join();
  spool.request_stop();
  writer.join();
  for (const char* name : {"a", "b"}) {
    const ReaderCounts counts = spool.reader(name).counts();
    EXPECT_EQ(counts.collected, kCycles * kLines);
    EXPECT_EQ(counts.delivered, kCycles * kLines);
  }
  opened.value().reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace virtmeter
