#include "model/catalog.h"

namespace virtmeter {
namespace {

// The keys of a device's statistics stand behind a prefix with the device's place in the record.
std::string_view bulk_prefix(Scope scope) {
  switch (scope) {
    case Scope::nic:
      return "net.<n>.";
    case Scope::disk:
      return "block.<n>.";
    case Scope::vm:
    case Scope::health:
    case Scope::collector:
    case Scope::sink:
      return "";
  }
  return "";
}

}  // namespace

std::string describe_origin(const Metric& row) {
  const std::string of(row.origin.of);
  switch (row.origin.how) {
    case How::read:
      return std::string(row.origin.kernel)
          .append(row.origin.kernel.empty() ? "" : ", else ")
          .append(bulk_prefix(info(row.line).scope))
          .append(row.origin.bulk)
          .append(", else ")
          .append(row.origin.call);
    case How::copy:
      return "same as " + of;
    case How::label:
      return "name of " + of;
    case How::sum:
      return "sum of " + of;
    case How::rate:
      return "change per second of " + of;
    case How::angle:
      return "degrees(atan(" + of + "))";
    case How::timed:
      return "measured by the collector";
  }
  return "";
}

}  // namespace virtmeter
