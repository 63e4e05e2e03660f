// Counts what this thread takes from operator new. One file of the test program includes test_counting_new.h,
// which replaces operator new for all of it. For tests.
#pragma once

#include <cstdint>

namespace virtmeter::test {

void start_counting_allocations();
std::uint64_t stop_counting_allocations();  // How many there were.

}  // namespace virtmeter::test
