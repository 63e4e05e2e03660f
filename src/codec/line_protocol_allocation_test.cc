// Replaces operator new of the whole test program by one that counts.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "codec/line_protocol.h"
#include "codec/test_cycle.h"

namespace {

thread_local std::size_t allocation_count = 0;

void* counted(std::size_t bytes) {
  ++allocation_count;
  if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocation_count;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace virtmeter {
namespace {

TEST(LineProtocol, AllocatesNothingInSteadyState) {
  VmSample vm = test::vm_with_devices();
  test::add_trends(vm);
  Cycle cycle = test::make_cycle({vm, test::vm_without_devices()});
  LineProtocolEncoder encoder({});
  std::string out;
  encoder.encode(cycle, out);
  const std::size_t before = allocation_count;
  for (int i = 0; i < 10; ++i) {
    out.clear();
    cycle.time.unix_ns += 5'000'000'000;
    encoder.encode(cycle, out);
  }
  EXPECT_EQ(allocation_count - before, 0u);
  EXPECT_GT(before, 0u);
}

}  // namespace
}  // namespace virtmeter
