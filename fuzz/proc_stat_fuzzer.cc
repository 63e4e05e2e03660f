// Any bytes as a text of /proc or of a control group: no reader of them goes beyond the end, and what was
// understood is within its bounds.
#include "base/check.h"
#include "input.h"
#include "source/kernel/machine_group.h"
#include "source/kernel/proc_text.h"

namespace virtmeter {
namespace {

void check(std::string_view text) {
  if (const auto stat = parse_process_stat(text)) {
    CHECK(text.rfind(')') != std::string_view::npos);
    CHECK(start_time(*stat).since_boot.count() >= 0);
  }
  if (parse_schedstat(text)) CHECK(text.ends_with('\n'));
  static_cast<void>(parse_cpu_stat(text));
  static_cast<void>(parse_cpuacct(text.substr(0, 20), text, 10'000'000));
  static_cast<void>(parse_number(text));
  static_cast<void>(vcpu_of_thread_name(text));
  if (const auto uuid = parse_uuid(text)) CHECK(parse_uuid(uuid->text()) == uuid);
  const auto uuid = uuid_of_command_line(text);
  CHECK(!uuid || text.find("-uuid") != std::string_view::npos);
  CHECK(!command_line_names(text, "web") || text.find("guest=web") != std::string_view::npos);
  const MachineGroup group = machine_group(text, 3);
  CHECK(group.path.empty() || text.find(group.path) != std::string_view::npos);
}

}  // namespace
}  // namespace virtmeter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  virtmeter::check(virtmeter::fuzz::text_of(data, size));
  return 0;
}
