// Replaces operator new of a test program by one that counts (test_allocations.h). Included by exactly one of
// its files.
#pragma once

#include <cstdlib>
#include <new>

#include "base/test_allocations.h"

namespace virtmeter::test {
// Of this thread's; counts only while a test looks.
inline thread_local bool counting = false;
inline thread_local std::uint64_t allocations = 0;

inline void* counted(std::size_t bytes) noexcept {
  if (counting) ++allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
inline void* counted_or_thrown(std::size_t bytes) {
  if (void* const memory = counted(bytes)) return memory;
  throw std::bad_alloc();
}

void start_counting_allocations() {
  allocations = 0;
  counting = true;
}
std::uint64_t stop_counting_allocations() {
  counting = false;
  return allocations;
}
}  // namespace virtmeter::test

void* operator new(std::size_t bytes) { return virtmeter::test::counted_or_thrown(bytes); }
void* operator new[](std::size_t bytes) { return virtmeter::test::counted_or_thrown(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return virtmeter::test::counted(bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
