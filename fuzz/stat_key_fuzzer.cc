// Any bytes as the key of a bulk record: it finds rows of its own scope or none, and no row for a key that is
// left aside with a reason.
#include "base/check.h"
#include "input.h"
#include "source/libvirt/stat_key.h"

namespace virtmeter {
namespace {

void check_rows(std::span<const MetricId> rows, Scope scope) {
  for (const MetricId id : rows) CHECK(id < kMetricCount && scope_of(id) == scope);
}

void check_device_key(std::string_view key, std::string_view prefix) {
  const auto device = split_device_key(key, prefix);
  if (!device) return;
  CHECK(key.starts_with(prefix) && key.ends_with(device->rest));
  check_rows(rows_of_nic_key(device->rest), Scope::nic);
  check_rows(rows_of_disk_key(device->rest), Scope::disk);
}

void check_key(std::string_view key) {
  check_rows(rows_of_vm_key(key), Scope::vm);
  check_device_key(key, "net.");
  check_device_key(key, "block.");
  CHECK(reason_to_ignore(key).empty() || rows_of_vm_key(key).empty());
}

}  // namespace
}  // namespace virtmeter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  virtmeter::check_key(virtmeter::fuzz::text_of(data, size));
  return 0;
}
