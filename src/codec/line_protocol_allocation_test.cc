#include <gtest/gtest.h>

#include "base/test_counting_new.h"
#include "codec/line_protocol.h"
#include "codec/test_cycle.h"

namespace virtmeter {
namespace {

TEST(LineProtocol, AllocatesNothingInSteadyState) {
  VmSample vm = test::vm_with_devices();
  test::add_trends(vm);
  Cycle cycle = test::make_cycle({vm, test::vm_without_devices()});
  LineProtocolEncoder encoder({});
  std::string out;
  test::start_counting_allocations();
  encoder.encode(cycle, out);
  EXPECT_GT(test::stop_counting_allocations(), 0u) << "else it does not count";
  test::start_counting_allocations();
  for (int i = 0; i < 10; ++i) {
    out.clear();
    cycle.time.unix_ns += 5'000'000'000;
    encoder.encode(cycle, out);
  }
  EXPECT_EQ(test::stop_counting_allocations(), 0u);
}

}  // namespace
}  // namespace virtmeter
