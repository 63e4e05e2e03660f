// Counts operator new: a steady flow of append, take and acknowledge allocates nothing once buffers have
// grown.
#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "base/test_counting_new.h"
#include "spool/spool.h"

namespace virtmeter {
namespace {

TEST(SpoolAllocation, ASteadyFlowAllocatesNothing) {
  ManualClock clock;
  MemoryFileSystem files;
  ASSERT_TRUE(files.make_folder("/state"));
  SpoolOptions options;
  options.folder = "/state/spool";
  auto opened = Spool::open(options, {"influx"}, files, clock);
  ASSERT_TRUE(opened);
  Spool& spool = *opened.value();
  std::string lines;
  for (int i = 0; i < 80; ++i) lines += "vm_totals,VMID=1,name=web,uuid=x net_rxbytes=1i,net_txbytes=2i\n";
  const auto cycle = [&] {
    test::counting = true;
    spool.append(lines, 80, clock.wall_now());
    test::counting = false;
    spool.write_pending();
    test::counting = true;
    const auto batch = spool.reader("influx").take();
    spool.reader("influx").acknowledge(*batch, {.delivered = batch->line_count});
    test::counting = false;
    clock.advance(std::chrono::seconds(5));
  };
  for (int i = 0; i < 20; ++i) cycle();
  test::allocations = 0;
  for (int i = 0; i < 100; ++i) cycle();
  EXPECT_EQ(test::allocations, 0u);
}

}  // namespace
}  // namespace virtmeter
