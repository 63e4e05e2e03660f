#include "config/show.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "config/options.h"

namespace virtmeter {
namespace {

// The columns a text fills on a terminal, near enough: one for each character.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void append_padded(std::string& out, std::string_view text, std::size_t width) {
  out += text;
  out.append(width + 2 - std::min(width_of(text), width), ' ');
}

std::string shown_value(const Option& option, const Settings& settings) {
  std::string text = value_text(option, settings);
  const OptionType type = type_of(option);
  if (type == OptionType::secret) return text.empty() ? "(not set)" : text;
  return type == OptionType::string ? toml_literal(option, text) : text;
}

// RFC 8259, 7. What is not UTF-8 (a path in an origin may not be) becomes '?'.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    const auto lead = static_cast<unsigned char>(text.front());
    if (length == 0) {
      out += '?';
    } else if (lead < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", lead);
      out += escape.data();
    } else {
      if (lead == '"' || lead == '\\') out += '\\';
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + '"';
}

std::string json_value(const Option& option, const Settings& settings) {
  std::string text = value_text(option, settings);
  if (type_of(option) == OptionType::integer) return text;
  if (type_of(option) == OptionType::secret && text.empty()) return "null";
  return json_string(text);
}

// "# key = default", with what one must know above it.
void append_example(std::string& out, const Option& option) {
  const std::string fallback = default_text(option);
  out.append("# ").append(option.help).append("\n");
  out.append("# Allowed: ").append(allowed_text(option)).append(".");
  if (fallback.empty() && !option.example.empty()) {
    out.append(" For example ").append(toml_literal(option, option.example)).append(".");
  }
  out.append(" Environment: ").append(option.environment).append(".\n");
  out.append("# ")
      .append(leaf_of(option.key))
      .append(" = ")
      .append(toml_literal(option, fallback))
      .append("\n\n");
}

// A cell of a markdown table, where a '|' would end it.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

void append_row(std::string& out, const Option& option) {
  const std::string fallback = default_text(option);
  const std::string shown = fallback.empty() ? "-" : "`" + fallback + "`";
  out.append("| `").append(option.key).append("` | ").append(cell(shown)).append(" | `");
  out.append(option.environment).append("` | ").append(cell(option.help)).append(" | ");
  out.append(cell(allowed_text(option))).append(" | ").append(reload_text(option.reload)).append(" |\n");
}

}  // namespace

std::string settings_table(const LoadedSettings& loaded) {
  struct Row {
    std::string key, value, origin;
  };
  std::vector<Row> rows{{"KEY", "VALUE", "ORIGIN"}};
  for (const Option& option : options()) {
    rows.push_back({std::string(option.key), shown_value(option, loaded.settings),
                    origin_text(loaded.origins[option_index(option)])});
  }
  std::size_t key_width = 0;
  std::size_t value_width = 0;
  for (const Row& row : rows) {
    key_width = std::max(key_width, width_of(row.key));
    value_width = std::max(value_width, width_of(row.value));
  }
  std::string out;
  for (const Row& row : rows) {
    append_padded(out, row.key, key_width);
    append_padded(out, row.value, value_width);
    out += row.origin + "\n";
  }
  return out;
}

std::string settings_json(const LoadedSettings& loaded) {
  std::string out;
  for (const Option& option : options()) {
    out += out.empty() ? "{\n" : ",\n";
    out += "  " + json_string(option.key) + ": {\"value\": " + json_value(option, loaded.settings) +
           ", \"origin\": " + json_string(origin_text(loaded.origins[option_index(option)])) + "}";
  }
  return out + "\n}\n";
}

std::string settings_example() {
  std::string out =
      "# Settings of virtmeter. Every key is optional and shown with its default: remove the \"# \" before "
      "one to\n"
      "# change it. Files conf.d/*.toml beside this one are read after it, in name order; the environment "
      "goes\n"
      "# before files, and flags (--poll-interval 2s, --set poll_interval=2s) before everything.\n"
      "# Durations are numbers of seconds, or texts with a unit: \"250ms\", \"5s\", \"5m\".\n\n";
  std::string_view group;
  std::string_view table;
  for (const Option& option : options()) {
    if (option.group != group) out.append("# ---- ").append(option.group).append(" ----\n\n");
    if (table_of(option.key) != table) out.append("[").append(table_of(option.key)).append("]\n");
    group = option.group;
    table = table_of(option.key);
    append_example(out, option);
  }
  out.pop_back();  // Each option ends with an empty line; the file does not.
  return out;
}

std::string settings_markdown() {
  std::string out =
      "# Settings\n\n"
      "Every setting is optional. It may stand in `/etc/virtmeter/virtmeter.toml` (or the file of "
      "`--config`) and in\n"
      "`conf.d/*.toml` beside it, in the environment, and on the command line as `--set key=value` or as a "
      "flag of\n"
      "its own (`http.listen` is `--http-listen`). Flags go before the environment, the environment before "
      "files, a\n"
      "later file before an earlier one. An empty variable counts as not set. A dotted key stands in its "
      "table:\n"
      "`http.listen` is `listen` below `[http]`.\n\n"
      "A duration is a number of seconds, or a text with a unit: `\"250ms\"`, `\"5s\"`, `\"5m\"`.\n\n"
      "`virtmeter config example` prints a commented file, `virtmeter config check` says what is wrong with "
      "yours,\n"
      "and `virtmeter config show` says where each value comes from.\n\n"
      "On SIGHUP (`systemctl reload virtmeter`) the same places are read again. If anything in them is "
      "wrong, "
      "nothing\n"
      "changes. Else the settings marked *yes* count at once, and of the others the log says that they wait "
      "for the\n"
      "next start. See [service.md](service.md).\n";
  std::string_view group;
  for (const Option& option : options()) {
    if (option.group != group) {
      out.append("\n## ").append(option.group).append("\n\n");
      out.append(
          "| key | default | environment | meaning | allowed | on SIGHUP |\n|---|---|---|---|---|---|\n");
    }
    group = option.group;
    append_row(out, option);
  }
  return out;
}

}  // namespace virtmeter
