// virtmeter: see README.md. Everything of substance is in the modules; this only parses and dispatches.
#include <cstdio>
#include <exception>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/secret_arguments.h"
#include "daemon/process_guard.h"

int main(int argc, char** argv) {
  using namespace virtmeter;
  try {
    const Status ordinary = refuse_borrowed_rights();
    if (!ordinary) return complain(ordinary.error()), static_cast<int>(ExitCode::permission);
    close_new_files_to_others();
    const ParsedCommandLine parsed = parse_command_line(argc, argv);
    wipe_secret_arguments(argc, argv);
    if (parsed.command_line) return static_cast<int>(run_command(*parsed.command_line));
    std::fputs(parsed.text.c_str(), parsed.exit_code == ExitCode::ok ? stdout : stderr);
    return static_cast<int>(parsed.exit_code);
  } catch (const std::exception& failure) {
    // We throw nothing; what a library throws past its edge is our mistake, or memory has run out.
    std::fprintf(stderr, "BUG: %s\n", failure.what());
    return static_cast<int>(ExitCode::bug);
  }
}
