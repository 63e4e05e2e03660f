// virtmeter run: the daemon in the foreground, until SIGTERM or Ctrl-C; SIGHUP reads the settings again.
#include <unistd.h>

#include <csignal>

#include "base/log.h"
#include "cli/commands.h"
#include "daemon/daemon.h"
#include "daemon/process_guard.h"
#include "daemon/service_manager.h"
#include "daemon/state_folder.h"
#include "daemon/stop_signals.h"
#include "daemon/supervisor.h"

namespace virtmeter {
namespace {

ExitCode refuse(const Error& error) {
  log_error("{}{}{}", error.message, error.fix.empty() ? "" : "; fix: ", error.fix);
  return exit_code_of(error.code);
}

void say_what_runs(const Daemon& daemon, const Settings& settings) {
  log_info("virtmeter {}: {} every {:g} s, lines to {}", VIRTMETER_VERSION, daemon.source_status().target,
           std::chrono::duration<double>(settings.poll_interval).count(), daemon.sink_target());
  if (!daemon.http_address().empty()) log_info("status on http://{}/api/v1/status", daemon.http_address());
}

// Whatever is wrong with the new settings, the daemon goes on.
void reload(Daemon& daemon, const LoadInputs& inputs) {
  const LoadOutcome outcome = load_settings(inputs);
  if (!outcome) {
    for (const std::string& line : problems_for_log(outcome.problems)) log_error("reload: {}", line);
    return log_error(
        "reload: nothing is changed, virtmeter goes on as it was; fix: mend the above, try it with "
        "virtmeter config check, and reload again");
  }
  for (const std::string& warning : outcome.loaded->warnings) log_warning("{}", warning);
  const Status reloaded = daemon.reload(outcome.loaded->settings);
  if (reloaded) return;
  log_error("reload: {}; nothing is changed, virtmeter goes on as it was; fix: {}", reloaded.error().message,
            reloaded.error().fix);
}

void run_until_stopped(Daemon& daemon, Supervisor& supervisor, const LoadInputs& inputs) {
  for (;;) {
    const std::optional<int> signal = wait_for_signal(supervisor.patience());
    if (signal == SIGHUP) {
      supervisor.reloading(monotonic_us());
      reload(daemon, inputs);
      supervisor.reloaded();
    } else if (signal) {
      return;
    }
    supervisor.tick();
  }
}

}  // namespace

ExitCode run_daemon(const LoadedSettings& loaded, const LoadInputs& inputs) {
  const Settings& settings = loaded.settings;
  if (settings.core_dumps == Settings::CoreDumps::off) leave_no_core();
  block_stop_signals();
  const Status log_opened = open_log({settings.log_level, settings.log_file});
  if (!log_opened) return refuse(log_opened.error());
  for (const std::string& warning : loaded.warnings) log_warning("{}", warning);
  const Status folder = prepare_state_folder(settings.state_dir);
  if (!folder) return refuse(folder.error());

  const SystemClock clock;
  Result<std::unique_ptr<Daemon>> daemon = Daemon::open(settings, clock);
  if (!daemon) return refuse(daemon.error());
  say_what_runs(**daemon, settings);
  const Status started = (*daemon)->start();
  if (!started) return refuse(started.error());

  Systemd systemd;
  Supervisor supervisor(**daemon, systemd);
  run_until_stopped(**daemon, supervisor, inputs);
  log_info("stopping");
  supervisor.stopping();
  if ((*daemon)->stop()) return ExitCode::ok;
  // The thread that hangs in libvirt cannot be joined; everything else is done.
  _exit(static_cast<int>(ExitCode::ok));
}

}  // namespace virtmeter
