#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <list>
#include <map>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "config/options.h"

namespace virtmeter {
namespace {

constexpr const char* kDescription =
    "virtmeter reads every VM of a KVM host each few seconds and writes InfluxDB line protocol.";
constexpr const char* kFooter =
    "Exit codes are sysexits: 0 ok, 64 usage, 69 unreachable, 74 I/O, 75 not ready, 77\n"
    "permission, 78 settings.\n"
    "virtmeter config example prints every setting.";
constexpr std::size_t kWordBytesMax = 64;
constexpr const char* kSettingsGroup = "Settings (each also in the file and the environment)";

template <typename Format>
using Formats = std::map<std::string, Format>;

const Formats<CycleFormat> kCycleFormats = {
    {"lp", CycleFormat::line_protocol}, {"json", CycleFormat::json}, {"prometheus", CycleFormat::prometheus}};
const Formats<TextFormat> kTextFormats = {
    {"table", TextFormat::table}, {"json", TextFormat::json}, {"markdown", TextFormat::markdown}};
const Formats<TextFormat> kShowFormats = {{"table", TextFormat::table}, {"json", TextFormat::json}};

// "key=value", or the sentence that CLI11 shows.
std::string looks_like_assignment(const std::string& text) {
  return text.find('=') == std::string::npos ? "write key=value, for example poll_interval=2s" : "";
}

std::string looks_like_interval(const std::string& text) {
  const auto interval = parse_duration(text);
  const bool fits = interval && *interval >= std::chrono::milliseconds(100);
  return fits ? "" : "write a duration of at least 0.1 s, for example 2s or 500ms";
}

// The words behind the program's name, the last one first, as CLI11 wants them. To "--flag=" CLI11 would give
// the next word as its value; as two words it means what it says, the empty text.
std::vector<std::string> reversed_words(int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (int i = argc - 1; i >= 1; --i) {
    std::string word = argv[i];
    if (word.starts_with("--") && word.find('=') == word.size() - 1) {
      word.pop_back();
      words.emplace_back();
    }
    words.push_back(std::move(word));
  }
  return words;
}

// CLI11 binds options to variables, so they live here until the parse is over.
class Parser {
 public:
  Parser() : app_(kDescription, "virtmeter") {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "virtmeter " VIRTMETER_VERSION);
    app_.footer(kFooter);
    add_settings();
    add_commands();
  }

  ParsedCommandLine parse(int argc, const char* const* argv) {
    try {
      app_.parse(reversed_words(argc, argv));
    } catch (const CLI::ParseError& stop) {
      return explain(stop);
    }
    result_.overrides.insert(result_.overrides.end(), assignments_.begin(), assignments_.end());
    return {result_, "", ExitCode::ok};
  }

 private:
  void add_settings() {
    app_.add_option("--config", result_.config_file, "Settings file instead of " + std::string(kConfigFile));
    app_.add_option_function<std::vector<std::string>>(
            "--set",
            [this](const std::vector<std::string>& list) {
              for (const std::string& text : list) assignments_.push_back({text, "--set"});
            },
            "One setting, key=value; may be repeated")
        ->check(CLI::Validator(looks_like_assignment, "key=value"))
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->type_name("");
    for (const Option& option : options()) {
      const std::string flag = flag_name(option);
      const std::string key(option.key);
      app_.add_option_function<std::string>(
              flag,
              [this, key, flag](const std::string& value) {
                assignments_.push_back({fmt::format("{}={}", key, value), flag});
              },
              std::string(option.help))
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
          ->group(kSettingsGroup)
          ->type_name("");
    }
  }

  CLI::App* command(CLI::App& parent, const std::string& name, Command command, const std::string& help) {
    CLI::App* sub = parent.add_subcommand(name, help);
    sub->fallthrough();
    sub->callback([this, command] { result_.command = command; });
    return sub;
  }

  void add_commands() {
    command(app_, "run", Command::run, "Collect until SIGTERM or Ctrl-C, and deliver");
    CLI::App* once = command(app_, "once", Command::once,
                             "Print cycles to standard output; touches no database and no file");
    once->add_option("--cycles", result_.cycles, "How many")->check(CLI::Range(1, 1'000'000))->type_name("N");
    once->add_option_function<std::string>(
            "--interval", [this](const std::string& text) { result_.interval = parse_duration(text); },
            "From one cycle to the next (default: poll_interval)")
        ->check(CLI::Validator(looks_like_interval, "duration"))
        ->type_name("");
    add_format(once, "--output", "lp, json or prometheus", kCycleFormats, result_.cycle_format);
    command(app_, "check", Command::check,
            "Try the settings and every connection; one line each, with the fix");
    CLI::App* status = command(app_, "status", Command::status,
                               "Ask the running daemon how it does; ends with 75 when it is not ready");
    add_format(status, "-o,--output", "table or json", kShowFormats, result_.text_format);
    add_spool_commands();
    CLI::App* schema =
        command(app_, "schema", Command::schema, "Print every metric: field, type, unit, source");
    add_format(schema, "-o,--output", "table, json or markdown", kTextFormats, result_.text_format);

    CLI::App* config = app_.add_subcommand("config", "Look at the settings");
    config->require_subcommand(1);
    config->fallthrough();
    CLI::App* show =
        command(*config, "show", Command::config_show, "Effective settings and where each comes from");
    add_format(show, "-o,--output", "table or json", kShowFormats, result_.text_format);
    command(*config, "check", Command::config_check, "Read the settings and say all that is wrong with them");
    command(*config, "example", Command::config_example, "Print a complete settings file with every default");
    command(*config, "markdown", Command::config_markdown, "Print docs/config.md")->group("");
  }

  void add_spool_commands() {
    CLI::App* spool = app_.add_subcommand("spool", "Look at the spool on disk, with or without a daemon");
    spool->require_subcommand(1);
    spool->fallthrough();
    for (const auto& [name, which, help] :
         {std::tuple{"status", Command::spool_status, "What it holds, and each sink's account of its lines"},
          std::tuple{"verify", Command::spool_verify,
                     "Check every record; damage with its file and place"}}) {
      CLI::App* sub = command(*spool, name, which, help);
      add_format(sub, "-o,--output", "table or json", kShowFormats, result_.text_format);
    }
  }

  // Not CLI11's own transformer of a word to an enum: it words its complaint with the enum's value as a
  // character.
  template <typename Format>
  void add_format(CLI::App* sub, const std::string& flag, const std::string& words,
                  const Formats<Format>& formats, Format& chosen) {
    const auto is_format = [&formats, words](const std::string& word) {
      return formats.count(word) > 0 ? "" : "write " + words + ", not " + printable(word, kWordBytesMax);
    };
    sub->add_option_function<std::string>(
           flag, [&formats, &chosen](const std::string& word) { chosen = formats.at(word); }, words)
        ->check(CLI::Validator(is_format, ""))
        ->type_name("");
  }

  // CLI11 speaks of help, version and mistakes alike through what it throws.
  ParsedCommandLine explain(const CLI::ParseError& stop) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app_.exit(stop, out, err);
    if (code == 0) return {std::nullopt, out.str(), ExitCode::ok};
    const bool no_command = stop.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError);
    const std::string words = no_command ? explain_missing_command() : err.str();
    return {std::nullopt, "virtmeter: " + words, ExitCode::usage};
  }

  // CLI11 says only that one is missing, whatever word stands in its place.
  std::string explain_missing_command() {
    const CLI::App* app = &app_;
    for (const char* group : {"config", "spool"}) {
      if (app_.got_subcommand(group)) app = app_.get_subcommand(group);
    }
    std::vector<std::string_view> commands;
    std::string list;
    for (const CLI::App* sub :
         app->get_subcommands([](const CLI::App* s) { return !s->get_group().empty(); })) {
      commands.push_back(sub->get_name());
      list += (list.empty() ? "" : ", ") + sub->get_name();
    }
    const std::vector<std::string> rest = app_.remaining(true);
    if (rest.empty()) return "no command; there are: " + list + "\nRun with --help for more information.\n";
    const std::string_view near = nearest(std::string_view(rest[0]).substr(0, kWordBytesMax), commands);
    return "unknown command \"" + printable(rest[0], kWordBytesMax) + "\"; " +
           (near.empty() ? "there are: " + list : "did you mean " + std::string(near) + "?") +
           "\nRun with --help for more information.\n";
  }

  CLI::App app_;
  CommandLine result_;
  std::vector<SettingOverride> assignments_;
};

}  // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) { return Parser().parse(argc, argv); }

}  // namespace virtmeter
