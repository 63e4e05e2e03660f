#include "model/metric.h"

namespace virtmeter {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::counter:
      return "counter";
    case Kind::gauge:
      return "gauge";
    case Kind::state:
      return "state";
  }
  return "";
}

std::string_view name_of(Type type) {
  switch (type) {
    case Type::integer:
      return "int";
    case Type::real:
      return "float";
    case Type::text:
      return "string";
  }
  return "";
}

std::string_view name_of(Unit unit) {
  switch (unit) {
    case Unit::none:
      return "-";
    case Unit::bytes:
      return "bytes";
    case Unit::packets:
      return "packets";
    case Unit::requests:
      return "requests";
    case Unit::errors:
      return "errors";
    case Unit::faults:
      return "faults";
    case Unit::kib:
      return "KiB";
    case Unit::vcpus:
      return "vCPUs";
    case Unit::vms:
      return "VMs";
    case Unit::lines:
      return "lines";
    case Unit::cycles:
      return "cycles";
    case Unit::values:
      return "values";
    case Unit::nanoseconds:
      return "ns";
    case Unit::milliseconds:
      return "ms";
    case Unit::degrees:
      return "degrees";
    case Unit::kib_per_second:
      return "KiB/s";
    case Unit::bytes_per_second:
      return "bytes/s";
    case Unit::packets_per_second:
      return "packets/s";
    case Unit::requests_per_second:
      return "requests/s";
  }
  return "";
}

}  // namespace virtmeter
