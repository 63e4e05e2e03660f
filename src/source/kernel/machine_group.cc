#include "source/kernel/machine_group.h"

#include <charconv>

namespace virtmeter {
namespace {

// The id in "machine-qemu\x2d3\x2dweb.scope" (systemd escapes the dashes) or "qemu-3-web.libvirt-qemu"; -1
// where `folder` is neither.
int machine_id(std::string_view folder) {
  std::string_view dash = "-";
  if (folder.starts_with("machine-qemu") && folder.ends_with(".scope")) {
    folder.remove_prefix(12);
    dash = "\\x2d";
  } else if (folder.starts_with("qemu") && folder.ends_with(".libvirt-qemu")) {
    folder.remove_prefix(4);
  } else {
    return -1;
  }
  if (!folder.starts_with(dash)) return -1;
  folder.remove_prefix(dash.size());
  int id = -1;
  const auto [stop, error] = std::from_chars(folder.data(), folder.data() + folder.size(), id);
  if (error != std::errc() || id < 0) return -1;
  folder.remove_prefix(static_cast<std::size_t>(stop - folder.data()));
  return folder.starts_with(dash) ? id : -1;
}

MachineGroup group_of_path(std::string_view path, int domain_id, MachineGroup::Kind kind) {
  // Of a control group outside of our own namespace's root.
  if (path.starts_with("/..")) return {MachineGroup::Kind::foreign, {}};
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t begin = at + 1;
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const int id = machine_id(path.substr(begin, end - begin));
    if (id >= 0 && id != domain_id) return {MachineGroup::Kind::foreign, {}};
    if (id >= 0) {
      const std::string_view below = path.substr(end);
      const bool is_nested = below == "/libvirt" || below.starts_with("/libvirt/");
      return {kind, path.substr(0, end + (is_nested ? 8 : 0))};
    }
    at = end;
  }
  return {};
}

// "cpu,cpuacct" names cpuacct.
bool has_cpuacct(std::string_view controllers) {
  while (true) {
    const std::size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == "cpuacct") return true;
    if (comma == std::string_view::npos) return false;
    controllers.remove_prefix(comma + 1);
  }
}

}  // namespace

MachineGroup machine_group(std::string_view proc_cgroup, int domain_id) {
  MachineGroup unified;
  // Lines of "<hierarchy>:<controllers>:<path>".
  while (true) {
    const std::size_t end = proc_cgroup.find('\n');
    if (end == std::string_view::npos) return unified;
    const std::string_view line = proc_cgroup.substr(0, end);
    proc_cgroup.remove_prefix(end + 1);
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view path = line.substr(second + 1);
    if (has_cpuacct(controllers)) {
      const MachineGroup group = group_of_path(path, domain_id, MachineGroup::Kind::v1);
      if (group.kind != MachineGroup::Kind::none) return group;
    } else if (line.starts_with("0::")) {
      unified = group_of_path(path, domain_id, MachineGroup::Kind::v2);
    }
  }
}

}  // namespace virtmeter
