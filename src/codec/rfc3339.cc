#include "codec/rfc3339.h"

#include <chrono>
#include <cstdio>

namespace virtmeter {

std::string rfc3339(WallTime time) {
  using namespace std::chrono;
  const sys_time<nanoseconds> at{nanoseconds(time.unix_ns)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<milliseconds>(at - day)};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

}  // namespace virtmeter
