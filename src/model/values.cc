#include "model/values.h"

namespace virtmeter {

std::string_view name_of(Absence absence) {
  switch (absence) {
    case Absence::not_read:
      return "not_read";
    case Absence::none:
      return "none";
    case Absence::unsupported:
      return "unsupported";
    case Absence::not_reported:
      return "not_reported";
    case Absence::busy:
      return "busy";
    case Absence::call_failed:
      return "call_failed";
    case Absence::device_gone:
      return "device_gone";
    case Absence::out_of_range:
      return "out_of_range";
    case Absence::partial_sum:
      return "partial_sum";
    case Absence::hung:
      return "hung";
    case Absence::no_rate:
      return "no_rate";
  }
  return "";
}

}  // namespace virtmeter
