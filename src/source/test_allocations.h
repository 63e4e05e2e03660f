// Counts what this thread takes from operator new, which kernel_reader_allocation_test.cc replaces for the
// whole test program. For tests.
#pragma once

#include <cstdint>

namespace virtmeter::test {

void start_counting_allocations();
std::uint64_t stop_counting_allocations();  // How many there were.

}  // namespace virtmeter::test
