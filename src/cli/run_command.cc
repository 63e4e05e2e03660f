// virtmeter run: the daemon in the foreground, until SIGTERM or Ctrl-C.
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "daemon/daemon.h"
#include "daemon/state_folder.h"
#include "daemon/stop_signals.h"

namespace virtmeter {
namespace {

ExitCode refuse(const Error& error) {
  log_error("{}{}{}", error.message, error.fix.empty() ? "" : "; fix: ", error.fix);
  return exit_code_of(error.code);
}

}  // namespace

ExitCode run_daemon(const LoadedSettings& loaded) {
  const Settings& settings = loaded.settings;
  block_stop_signals();
  const Status log_opened = open_log({settings.log_level, settings.log_file});
  if (!log_opened) return refuse(log_opened.error());
  for (const std::string& warning : loaded.warnings) log_warning("{}", warning);
  const Status folder = prepare_state_folder(settings.state_dir);
  if (!folder) return refuse(folder.error());

  const SystemClock clock;
  Result<std::unique_ptr<Daemon>> daemon = Daemon::open(settings, clock);
  if (!daemon) return refuse(daemon.error());
  log_info("virtmeter {}: {} every {:g} s, lines to {}", VIRTMETER_VERSION, (*daemon)->source_status().target,
           std::chrono::duration<double>(settings.poll_interval).count(), (*daemon)->sink_target());
  const Status started = (*daemon)->start();
  if (!started) return refuse(started.error());

  wait_for_stop_signal(std::nullopt);
  log_info("stopping");
  if ((*daemon)->stop()) return ExitCode::ok;
  // The thread that hangs in libvirt cannot be joined; everything else is done.
  _exit(static_cast<int>(ExitCode::ok));
}

}  // namespace virtmeter
