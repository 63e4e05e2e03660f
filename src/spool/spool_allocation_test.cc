// Counts operator new: a steady flow of append, take and acknowledge allocates nothing once buffers have
// grown.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "base/memory_file_system.h"
#include "spool/spool.h"

namespace {
// Of this thread's; counts only while a test looks.
thread_local bool counting = false;
thread_local std::uint64_t allocations = 0;
}  // namespace

void* operator new(std::size_t size) {
  if (counting) ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

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
    counting = true;
    spool.append(lines, 80, clock.wall_now());
    counting = false;
    spool.write_pending();
    counting = true;
    const auto batch = spool.reader("influx").take();
    spool.reader("influx").acknowledge(*batch, {.delivered = batch->line_count});
    counting = false;
    clock.advance(std::chrono::seconds(5));
  };
  for (int i = 0; i < 20; ++i) cycle();
  allocations = 0;
  for (int i = 0; i < 100; ++i) cycle();
  EXPECT_EQ(allocations, 0u);
}

}  // namespace
}  // namespace virtmeter
