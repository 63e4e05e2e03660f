#include "cli/commands.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/log.h"
#include "base/text.h"
#include "codec/schema.h"
#include "config/show.h"

namespace virtmeter {
namespace {

LoadInputs inputs_of(const CommandLine& line) {
  LoadInputs inputs;
  if (!line.config_file.empty()) {
    inputs.file = line.config_file;
    inputs.file_must_exist = true;
  }
  inputs.overrides = line.overrides;
  inputs.environment = process_environment();
  return inputs;
}

ExitCode refuse(const std::vector<SettingProblem>& problems) {
  std::fputs(problems_for_terminal(problems).c_str(), stderr);
  return ExitCode::settings;
}

ExitCode show_settings(const LoadedSettings& loaded, TextFormat format) {
  for (const std::string& warning : loaded.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  return print(format == TextFormat::json ? settings_json(loaded) : settings_table(loaded));
}

ExitCode report_good_settings(const LoadedSettings& loaded) {
  for (const std::string& warning : loaded.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  std::string files;
  for (const std::string& file : loaded.files) files += (files.empty() ? "" : ", ") + printable(file);
  if (files.empty()) files = "no settings file, defaults";
  return print(fmt::format("ok: {}\n", files));
}

ExitCode run_with_settings(const CommandLine& line, const LoadedSettings& loaded, const LoadInputs& inputs) {
  switch (line.command) {
    case Command::run:
      return run_daemon(loaded, inputs);
    case Command::status:
      return run_status(line.text_format, loaded.settings);
    case Command::spool_status:
    case Command::spool_verify:
      return run_spool_command(line, loaded.settings);
    case Command::once:
      return run_once(line, loaded.settings);
    case Command::check:
      return run_check(loaded);
    case Command::config_show:
      return show_settings(loaded, line.text_format);
    case Command::config_check:
      return report_good_settings(loaded);
    default:
      return ExitCode::bug;
  }
}

}  // namespace

ExitCode run_command(const CommandLine& line) {
  if (line.command == Command::schema) return print_schema(line.text_format);
  if (line.command == Command::config_example) return print(settings_example());
  if (line.command == Command::config_markdown) return print(settings_markdown());
  const LoadInputs inputs = inputs_of(line);
  const LoadOutcome outcome = load_settings(inputs);
  if (!outcome) return refuse(outcome.problems);
  return run_with_settings(line, *outcome.loaded, inputs);
}

ExitCode print_schema(TextFormat format) {
  switch (format) {
    case TextFormat::table:
      return print(schema_table());
    case TextFormat::json:
      return print(schema_json());
    case TextFormat::markdown:
      return print(schema_markdown());
  }
  return ExitCode::bug;
}

ExitCode print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    // The reader has gone: it has what it wanted ("virtmeter once | head").
    if (written < 0 && errno == EPIPE) return ExitCode::io_error;
    if (written < 0) {
      std::perror("virtmeter: standard output");
      return ExitCode::io_error;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ExitCode::ok;
}

void complain(const Error& error) {
  std::fprintf(stderr, "virtmeter: %s\n", error.message.c_str());
  if (!error.fix.empty()) std::fprintf(stderr, "  fix: %s\n", error.fix.c_str());
}

}  // namespace virtmeter
