// CHECK(condition): what we ourselves do wrong. On in every build; prints where and ends the process with
// SIGABRT.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace virtmeter {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "BUG: %s:%d: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace virtmeter

#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::virtmeter::check_failed(#condition, __FILE__, __LINE__))
