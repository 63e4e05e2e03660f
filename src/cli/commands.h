// The commands of the one binary. Data goes to standard output, words to standard error. Each returns the
// exit code of the process. Main thread only.
#pragma once

#include "base/exit_code.h"
#include "cli/command_line.h"

namespace virtmeter {

ExitCode run_command(const CommandLine& line);

// One each; settings that do not load have ended the command before.
// run_daemon() reads `inputs` again at each reload.
ExitCode run_daemon(const LoadedSettings& loaded, const LoadInputs& inputs);
ExitCode run_status(TextFormat format, const Settings& settings);
ExitCode run_spool_command(const CommandLine& line, const Settings& settings);
ExitCode run_once(const CommandLine& line, const Settings& settings);
ExitCode run_check(const LoadedSettings& loaded);
ExitCode print_schema(TextFormat format);

// Writes `text` to standard output, whole. Not ok when the reader has gone or the disk is full.
ExitCode print(std::string_view text);

// "virtmeter: <message>" and, on a line of its own, the fix.
void complain(const Error& error);

}  // namespace virtmeter
