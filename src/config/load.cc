#include "config/load.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "config/draft.h"
#include "config/file_layer.h"
#include "config/options.h"
#include "config/small_file.h"
#include "config/token.h"

namespace virtmeter {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;

std::string variable(const LoadInputs& inputs, const std::string& name) {
  return inputs.environment ? inputs.environment(name).value_or("") : "";
}

SettingPlace whole_file(const std::string& path, std::size_t index) {
  return {.layer = SettingLayer::file, .name = path, .file_index = index};
}

void warn_of_open_secrets(const SmallFile& file, const std::string& path, std::size_t index,
                          SettingsDraft& draft) {
  if (!file.is_open_to_others()) return;
  for (const Option& option : options()) {
    const SettingPlace& origin = draft.origins[option_index(option)];
    const bool here = origin.layer == SettingLayer::file && origin.file_index == index && origin.line != 0;
    if (!here || type_of(option) != OptionType::secret || value_text(option, draft.settings).empty())
      continue;
    draft.warnings.push_back(open_secret_warning(path, file.mode));
  }
}

enum class Presence : std::uint8_t { required, optional };

// Reads one file into the draft, as the next of `files`.
void read_file(const std::string& path, Presence presence, std::vector<std::string>& files,
               SettingsDraft& draft) {
  const std::size_t index = files.size();
  const auto read = read_small_file(path, kFileBytesMax);
  if (!read) {
    if (presence == Presence::optional && read.error().code == Errc::not_found) return;
    draft.report(whole_file(path, index), read.error().message, read.error().fix);
    return;
  }
  files.push_back(path);
  apply_file_text(read->text, path, index, draft);
  warn_of_open_secrets(*read, path, index, draft);
}

// The names in conf.d that count, sorted. Hidden ones are an editor's.
std::vector<std::string> conf_d_files(const fs::path& folder, std::size_t index, SettingsDraft& draft) {
  std::vector<std::string> found;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.extension() == ".toml" && !path.filename().native().starts_with('.'))
      found.push_back(path.native());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    draft.report(whole_file(folder.native(), index), "cannot be read: " + errno_clause(error.value()),
                 "make it a folder this user may read, or remove it");
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> read_files(const LoadInputs& inputs, SettingsDraft& draft) {
  std::vector<std::string> files;
  if (inputs.file.empty()) return files;
  read_file(inputs.file, inputs.file_must_exist ? Presence::required : Presence::optional, files, draft);
  const fs::path folder = fs::path(inputs.file).parent_path() / "conf.d";
  for (const std::string& path : conf_d_files(folder, files.size(), draft)) {
    read_file(path, Presence::required, files, draft);
  }
  return files;
}

// systemd.exec(5): STATE_DIRECTORY names every folder of StateDirectory=, with ':' between.
std::string first_folder(std::string_view list) {
  list.remove_prefix(std::min(list.find_first_not_of(':'), list.size()));
  return std::string(list.substr(0, list.find(':')));
}

void read_environment(const LoadInputs& inputs, SettingsDraft& draft) {
  for (const Option& option : options()) {
    std::string text = variable(inputs, std::string(option.environment));
    if (option.rule == TextRule::folder) text = first_folder(text);
    if (text.empty()) continue;
    draft.set(option, SettingValue::from_text(std::move(text)),
              {.layer = SettingLayer::environment, .name = std::string(option.environment)});
  }
}

void read_override(const SettingOverride& given, SettingsDraft& draft) {
  const std::size_t equals = given.assignment.find('=');
  const std::string key(trimmed(std::string_view(given.assignment).substr(0, equals)));
  // A flag of its own already names the key.
  const bool names_key = given.flag != "--set";
  SettingPlace place{.layer = SettingLayer::command_line, .name = given.flag, .key = names_key ? "" : key};
  const Option* option = find_option(key);
  if (option == nullptr) {
    draft.report(std::move(place), "unknown key " + shown_in_quotes(key),
                 key_suggestion(key, KeySyntax::dotted));
  } else if (equals == std::string::npos) {
    draft.report(std::move(place), "has no value",
                 "write " + given.flag + " " + key + "=" + example_text(*option));
  } else {
    draft.set(*option, SettingValue::from_text(given.assignment.substr(equals + 1)), std::move(place));
  }
}

bool is_writable_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         ::access(path.c_str(), W_OK | X_OK) == 0;
}

bool is_usable_state_dir(const std::string& path) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(path, error))) return is_writable_folder(path);
  return is_writable_folder(fs::path(path).parent_path().native());
}

// The XDG Base Directory Specification: a relative path counts as not set.
std::string user_state_dir(const LoadInputs& inputs) {
  if (const std::string state = variable(inputs, "XDG_STATE_HOME"); state.starts_with('/'))
    return state + "/virtmeter";
  if (const std::string home = variable(inputs, "HOME"); home.starts_with('/'))
    return home + "/.local/state/virtmeter";
  return "";
}

// The defaults that depend on the host or on another setting.
void fill_defaults(const LoadInputs& inputs, SettingsDraft& draft) {
  Settings& settings = draft.settings;
  if (draft.origin("state_dir").layer == SettingLayer::built_in) {
    const std::string user = is_usable_state_dir(inputs.system_state_dir) ? "" : user_state_dir(inputs);
    settings.state_dir = user.empty() ? inputs.system_state_dir : user;
  }
  if (settings.file_path.empty()) settings.file_path = (fs::path(settings.state_dir) / "lines.lp").native();
}

// What no option can check alone.
void check_together(SettingsDraft& draft) {
  if (draft.is_refused("max_queue") || draft.is_refused("batch_max_lines")) return;
  const Settings& settings = draft.settings;
  if (settings.max_queue >= settings.batch_max_lines) return;
  const SettingPlace& queue = draft.origin("max_queue");
  const SettingPlace& batch = draft.origin("batch_max_lines");
  draft.report(queue.layer == SettingLayer::built_in ? batch : queue,
               "max_queue (" + std::to_string(settings.max_queue) + ") is below batch_max_lines (" +
                   std::to_string(settings.batch_max_lines) + ")",
               "write max_queue of at least batch_max_lines: a batch is filled from the queue");
}

bool is_on_this_host(std::string_view http_url) {
  constexpr std::array<std::string_view, 3> kHosts = {"http://127.", "http://localhost", "http://[::1]"};
  return std::any_of(kHosts.begin(), kHosts.end(),
                     [&](std::string_view host) { return http_url.starts_with(host); });
}

// Encryption is what `https` in the address says; without it a token is everybody's on the way.
void warn_of_open_token(SettingsDraft& draft) {
  const Settings& settings = draft.settings;
  if (settings.influx_token.empty() || !settings.influx_url.starts_with("http://")) return;
  if (is_on_this_host(settings.influx_url)) return;
  draft.warnings.push_back(
      "influx_url: the token travels unencrypted; write https://, and influx_ca_file for certificates of "
      "your "
      "own");
}

}  // namespace

EnvironmentLookup process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

LoadOutcome load_settings(const LoadInputs& inputs) {
  SettingsDraft draft;
  std::vector<std::string> files = read_files(inputs, draft);
  read_environment(inputs, draft);
  for (const SettingOverride& given : inputs.overrides) read_override(given, draft);
  fill_defaults(inputs, draft);
  resolve_token(variable(inputs, "CREDENTIALS_DIRECTORY"), draft);
  check_together(draft);
  warn_of_open_token(draft);
  if (draft.problems.empty()) {
    return {LoadedSettings{std::move(draft.settings), std::move(draft.origins), std::move(draft.warnings),
                           std::move(files)},
            {}};
  }
  sort_by_place(draft.problems);
  return {std::nullopt, std::move(draft.problems)};
}

}  // namespace virtmeter
