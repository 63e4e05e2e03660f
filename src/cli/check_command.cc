// virtmeter check: settings and every connection, one line each with the fix; the exit code says the worst.
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "daemon/delivery_options.h"
#include "daemon/event_thread.h"
#include "daemon/guest_memory.h"
#include "daemon/hypervisor.h"
#include "daemon/state_folder.h"
#include "net/listen_address.h"

namespace virtmeter {
namespace {

enum class Grade { ok, info, warning, failure };

struct Finding {
  Grade grade = Grade::ok;
  std::string topic;
  std::string text;
  std::string fix;
  ExitCode code = ExitCode::ok;
};

std::string_view word_of(Grade grade) {
  switch (grade) {
    case Grade::ok:
      return "ok";
    case Grade::info:
      return "info";
    case Grade::warning:
      return "warn";
    case Grade::failure:
      return "FAIL";
  }
  return "";
}

Finding failed(std::string topic, const Error& error) {
  return {Grade::failure, std::move(topic), error.message, error.fix, exit_code_of(error.code)};
}

std::string in_gigabytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

void check_settings(const LoadedSettings& loaded, std::vector<Finding>& findings) {
  std::string files;
  for (const std::string& file : loaded.files) files += (files.empty() ? "" : ", ") + printable(file);
  findings.push_back(
      {Grade::ok, "settings", files.empty() ? "no settings file: defaults" : files, "", ExitCode::ok});
  for (const std::string& warning : loaded.warnings) {
    findings.push_back({Grade::warning, "settings", warning, "", ExitCode::ok});
  }
}

void check_vms(const std::vector<VmSample>& vms, const Settings& settings, double elapsed_ms,
               std::vector<Finding>& findings) {
  if (vms.empty()) {
    findings.push_back(
        {Grade::info, "vms",
         "I104 connected, but libvirt shows no active VM on " + printable(settings.libvirt_uri),
         "VMs of your own user live in qemu:///session; VMs started by hand are not seen by libvirt",
         ExitCode::ok});
    return;
  }
  findings.push_back({Grade::ok, "vms", fmt::format("{} active, read in {:.0f} ms", vms.size(), elapsed_ms),
                      "", ExitCode::ok});
  Cycle cycle;
  cycle.vms = vms;
  if (const auto advice = advise_on_guest_memory(cycle)) {
    findings.push_back({Grade::warning, "guest memory", advice->what, advice->fix, ExitCode::ok});
  }
}

void check_libvirt(const Settings& settings, std::vector<Finding>& findings) {
  EventThread events;
  const Status started = events.start();
  if (!started) return findings.push_back(failed("libvirt", started.error()));
  const SystemClock clock;
  Result<std::unique_ptr<Source>> source = open_hypervisor(settings, clock);
  if (!source) return findings.push_back(failed("libvirt", source.error()));
  std::vector<VmSample> vms;
  const BootTime asked = clock.boot_now();
  const Status read = (*source)->read(vms);
  const double elapsed_ms = std::chrono::duration<double, std::milli>(clock.boot_now() - asked).count();
  if (!read) return findings.push_back(failed("libvirt", read.error()));
  const SourceStatus status = (*source)->status();
  findings.push_back({Grade::ok, "libvirt", fmt::format("{}, read-only: {}", status.target, status.version),
                      "", ExitCode::ok});
  check_vms(vms, settings, elapsed_ms, findings);
}

void check_state_folder(const Settings& settings, std::vector<Finding>& findings) {
  const Status usable = probe_state_folder(settings.state_dir);
  if (!usable) return findings.push_back(failed("state_dir", usable.error()));
  const Result<std::uint64_t> space = free_bytes(settings.state_dir);
  const std::string free = space ? in_gigabytes(*space) + " free" : space.error().message;
  findings.push_back({Grade::ok, "state_dir", settings.state_dir + ", " + free, "", ExitCode::ok});
}

void check_sink(const Settings& settings, std::vector<Finding>& findings) {
  const SystemClock clock;
  Result<std::unique_ptr<Sink>> sink = open_sink(sink_options(settings), clock);
  if (!sink) return findings.push_back(failed("sink", sink.error()));
  const std::string topic((*sink)->name());
  if (settings.influx_url.empty() && access(settings.state_dir.c_str(), F_OK) != 0) {
    // Nothing is made here; run makes the folder, and what could keep it from that is told above.
    return findings.push_back(
        {Grade::ok, topic, (*sink)->target() + ", made at the first start", "", ExitCode::ok});
  }
  const Status status = (*sink)->check();
  if (!status) return findings.push_back(failed(topic, status.error()));
  findings.push_back({Grade::ok, topic, (*sink)->target(), "", ExitCode::ok});
}

void check_http(const Settings& settings, std::vector<Finding>& findings) {
  if (settings.http_listen.empty()) {
    return findings.push_back(
        {Grade::info, "http", "http.listen is empty: no status, no health page", "", ExitCode::ok});
  }
  const Result<ListenAddress> listen = parse_listen_address(settings.http_listen);
  if (!listen) return findings.push_back(failed("http", listen.error()));
  findings.push_back({Grade::ok, "http", listen->text(), "", ExitCode::ok});
}

std::string render(const std::vector<Finding>& findings) {
  std::string out;
  std::size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.topic.size());
  for (const Finding& finding : findings) {
    out += fmt::format("{:<4}  {:<{}}  {}\n", word_of(finding.grade), finding.topic, width,
                       printable(finding.text, 1000));
    if (!finding.fix.empty())
      out += fmt::format("{:<6}{:<{}}  fix: {}\n", "", "", width, printable(finding.fix, 1000));
  }
  return out;
}

}  // namespace

ExitCode run_check(const LoadedSettings& loaded) {
  // The findings are the answer: what the parts would log on the way says the same twice.
  const Status log_opened = open_log({LogLevel::error, ""});
  std::vector<Finding> findings;
  if (!log_opened) findings.push_back(failed("log", log_opened.error()));
  check_settings(loaded, findings);
  check_libvirt(loaded.settings, findings);
  check_state_folder(loaded.settings, findings);
  check_sink(loaded.settings, findings);
  check_http(loaded.settings, findings);

  const ExitCode printed = print(render(findings));
  if (printed != ExitCode::ok) return printed;
  const auto worst = std::find_if(findings.begin(), findings.end(),
                                  [](const Finding& finding) { return finding.grade == Grade::failure; });
  return worst == findings.end() ? ExitCode::ok : worst->code;
}

}  // namespace virtmeter
