// A cycle whose host, VM and devices have strangers' names, as line protocol and back: exactly its lines,
// each of its measurement, each with the tags that the policy makes of the names. The names are separated by
// byte 0xFE.
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/line_protocol.h"
#include "codec/line_protocol_decoder.h"
#include "codec/test_cycle.h"
#include "codec/test_policy.h"
#include "input.h"

namespace virtmeter {
namespace {

constexpr std::size_t kNamesMax = 5;  // Host, VM, two NICs, a disk.

std::string stored_tag(const Point& point, std::string_view key) {
  for (const auto& [name, value] : point.tags) {
    if (name == key) return value;
  }
  return "";
}

void check_lines(const Cycle& cycle, std::string_view lines) {
  const VmLayout& layout = *cycle.vms[0].layout;
  const std::vector<std::string> devices = {"", layout.nics[0], layout.nics[1], layout.disks[0], ""};
  LineDecoder decoder(lines);
  for (const std::string& device : devices) {
    const auto point = decoder.next();
    CHECK(point.has_value() && point->has_value());
    CHECK((*point)->measurement.starts_with("vm_"));
    CHECK((*point)->time == cycle.time.unix_ns);
    CHECK(stored_tag(**point, "VMID") == "7");
    CHECK(stored_tag(**point, "name") == test::policy_tag_value(layout.name));
    CHECK(stored_tag(**point, "host") == test::policy_tag_value(cycle.host));
    CHECK(stored_tag(**point, "device") == test::policy_tag_value(device));
  }
  const auto last = decoder.next();
  CHECK(last.has_value() && last->has_value() && (*last)->measurement == "collector_latency");
  CHECK(!decoder.next().has_value());
}

}  // namespace
}  // namespace virtmeter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virtmeter;
  std::vector<std::string> names;
  for (const auto name : fuzz::split(fuzz::text_of(data, size), '\xFE', kNamesMax)) names.emplace_back(name);
  names.resize(kNamesMax);
  Cycle cycle = test::make_cycle({test::make_vm(
      test::make_layout({.name = names[1], .nics = {names[2], names[3]}, .disks = {names[4]}}))});
  cycle.host = names[0];
  std::string lines;
  CHECK(LineProtocolEncoder({}).encode(cycle, lines) == 6);
  check_lines(cycle, lines);
  return 0;
}
