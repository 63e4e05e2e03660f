// The command line of the one binary, as data: which command, with which options. Commands are run elsewhere
// (commands.h). Parsing prints nothing. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "config/load.h"

namespace virtmeter {

enum class Command : std::uint8_t {
  run,
  once,
  check,
  status,
  spool_status,
  spool_verify,
  schema,
  config_show,
  config_check,
  config_example,
  config_markdown
};

enum class CycleFormat : std::uint8_t { line_protocol, json, prometheus };
enum class TextFormat : std::uint8_t { table, json, markdown };

struct CommandLine {
  Command command = Command::run;
  std::string config_file;  // Empty: the usual place.
  std::vector<SettingOverride> overrides;

  std::uint64_t cycles = 1;                          // once
  std::optional<std::chrono::nanoseconds> interval;  // once; default: poll_interval
  CycleFormat cycle_format = CycleFormat::line_protocol;
  TextFormat text_format = TextFormat::table;  // schema, status, spool, config show
};

// Either a command, or a text to print and the exit code to end with (help, version, a usage error).
struct ParsedCommandLine {
  std::optional<CommandLine> command_line;
  std::string text;
  ExitCode exit_code = ExitCode::ok;
};

ParsedCommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace virtmeter
