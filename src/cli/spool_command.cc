// virtmeter spool status|verify: the spool on disk, with or without a running virtmeter; changes nothing.
#include "base/file_system.h"
#include "cli/commands.h"
#include "cli/spool_report.h"
#include "daemon/delivery_options.h"

namespace virtmeter {

ExitCode run_spool_command(const CommandLine& line, const Settings& settings) {
  const Result<SpoolReport> report = inspect_spool(spool_options(settings).folder, system_files());
  if (!report) {
    complain(report.error());
    return exit_code_of(report.error().code);
  }
  const bool verify = line.command == Command::spool_verify;
  if (line.text_format == TextFormat::json) {
    const ExitCode printed = print(spool_report_json(*report));
    if (printed != ExitCode::ok) return printed;
  } else {
    const ExitCode printed = print(verify ? spool_verify_text(*report) : spool_status_table(*report));
    if (printed != ExitCode::ok) return printed;
  }
  return verify && is_damaged(*report) ? ExitCode::bad_data : ExitCode::ok;
}

}  // namespace virtmeter
