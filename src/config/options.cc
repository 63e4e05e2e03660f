#include "config/options.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"

namespace virtmeter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::int64_t in_ns(nanoseconds duration) { return duration.count(); }

// Choices stand in the order of their enum's values.
constexpr std::array<std::string_view, 4> kLogLevels = {"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 4> kInfluxApis = {"auto", "v1", "v2", "v3"};
constexpr std::array<std::string_view, 2> kCoreDumps = {"off", "on"};
constexpr std::array<std::string_view, 2> kSources = {"auto", "libvirt"};
constexpr std::array<std::string_view, 2> kMissing = {"zero", "omit"};
constexpr std::array<std::string_view, 3> kSpoolSync = {"every_cycle", "interval", "never"};

constexpr std::string_view kReading = "Reading the hypervisor";
constexpr std::string_view kInflux = "Writing to InfluxDB or VictoriaMetrics";
constexpr std::string_view kHost = "State and log";
constexpr std::string_view kHttp = "Dashboard, API and /metrics";
constexpr std::string_view kProcess = "The process itself";
constexpr std::string_view kLibvirt = "Fine points of libvirt";
constexpr std::string_view kSpool = "Lines that wait on disk until they are delivered";
constexpr std::string_view kFile = "Lines in a file, when there is no influx_url";

// Options of one group stand together and the tables last: `config example` prints them in this order.
constexpr auto kOptions = std::to_array<Option>({
    {.key = "libvirt_uri",
     .environment = "LIBVIRT_URI",
     .member = &Settings::libvirt_uri,
     .help =
         "The libvirt connection, read-only where that suffices; replay:///FILE plays a recording instead.",
     .group = kReading,
     .rule = TextRule::not_empty},
    {.key = "source",
     .environment = "VIRTMETER_SOURCE",
     .member = &Settings::source,
     .help =
         "Who is asked: auto is the kernel for what it knows of this host's QEMU, and libvirt for the rest; "
         "libvirt is libvirt alone.",
     .group = kReading,
     .choices = kSources},
    {.key = "libvirt_timeout",
     .environment = "LIBVIRT_TIMEOUT",
     .member = &Settings::libvirt_timeout,
     .help = "The longest wait for one libvirt call.",
     .group = kReading,
     .minimum = in_ns(milliseconds(100)),
     .maximum = in_ns(seconds(300))},
    {.key = "poll_interval",
     .environment = "POLL_INTERVAL",
     .member = &Settings::poll_interval,
     .help = "The period of a collection cycle; cycles start on the beat and never overlap.",
     .group = kReading,
     .minimum = in_ns(milliseconds(500)),
     .maximum = in_ns(hours(1)),
     .reload = Reload::collector},
    {.key = "device_cache_ttl",
     .environment = "DEVICE_CACHE_TTL",
     .member = &Settings::device_cache_ttl,
     .help = "How long a VM's list of devices is trusted where libvirt sends no events.",
     .group = kReading,
     .minimum = in_ns(seconds(1)),
     .maximum = in_ns(hours(24))},
    {.key = "missing",
     .environment = "MISSING",
     .member = &Settings::missing,
     .help = "What the core measurements say for a value that could not be read: a zero, or no field.",
     .group = kReading,
     .choices = kMissing,
     .reload = Reload::collector},
    {.key = "host_tag",
     .environment = "HOST_TAG",
     .member = &Settings::host_tag,
     .help = "The value of a host tag on every line; auto is the hypervisor's host name, empty is no tag.",
     .group = kReading,
     .reload = Reload::collector,
     .example = "auto"},
    {.key = "influx_url",
     .environment = "INFLUX_URL",
     .member = &Settings::influx_url,
     .help = "The address of InfluxDB 1.x, 2.x, 3.x or VictoriaMetrics; empty is no database.",
     .group = kInflux,
     .rule = TextRule::web_address,
     .reload = Reload::sink,
     .example = "http://127.0.0.1:8086"},
    {.key = "influx_api",
     .environment = "INFLUX_API",
     .member = &Settings::influx_api,
     .help = "The write interface of the database; auto asks the server.",
     .group = kInflux,
     .choices = kInfluxApis,
     .reload = Reload::sink},
    {.key = "influx_db",
     .environment = "INFLUX_DB",
     .member = &Settings::influx_db,
     .help = "The database (1.x, 3.x) or bucket (2.x).",
     .group = kInflux,
     .rule = TextRule::not_empty,
     .reload = Reload::sink},
    {.key = "influx_org",
     .environment = "INFLUX_ORG",
     .member = &Settings::influx_org,
     .help = "The organization, for 2.x.",
     .group = kInflux,
     .reload = Reload::sink,
     .example = "ops"},
    {.key = "influx_token",
     .environment = "INFLUX_TOKEN",
     .member = &Settings::influx_token,
     .help =
         "The token (2.x, 3.x) or user:password (1.x); better kept in influx_token_file or in the systemd "
         "credential influx-token.",
     .group = kInflux,
     .reload = Reload::sink},
    {.key = "influx_token_file",
     .environment = "INFLUX_TOKEN_FILE",
     .member = &Settings::influx_token_file,
     .help = "A file that holds the token on one line.",
     .group = kInflux,
     .reload = Reload::sink,
     .example = "/etc/virtmeter/influx.token"},
    {.key = "influx_ca_file",
     .environment = "INFLUX_CA_FILE",
     .member = &Settings::influx_ca_file,
     .help = "The certificates (PEM) to trust for https, instead of the system's.",
     .group = kInflux,
     .reload = Reload::sink,
     .example = "/etc/virtmeter/ca.pem"},
    {.key = "batch_max_lines",
     .environment = "BATCH_MAX_LINES",
     .member = &Settings::batch_max_lines,
     .help = "Lines per write request.",
     .group = kInflux,
     .minimum = 1,
     .maximum = 100'000},
    {.key = "batch_max_sec",
     .environment = "BATCH_MAX_SEC",
     .member = &Settings::batch_max_sec,
     .help = "The longest wait before a partial batch is sent.",
     .group = kInflux,
     .minimum = 0,
     .maximum = in_ns(seconds(60))},
    {.key = "max_queue",
     .environment = "MAX_QUEUE",
     .member = &Settings::max_queue,
     .help = "Lines held in memory before the spool takes over; at least batch_max_lines.",
     .group = kInflux,
     .minimum = 1,
     .maximum = 10'000'000},
    {.key = "state_dir",
     .environment = "STATE_DIRECTORY",
     .member = &Settings::state_dir,
     .help = "The folder of spool, store and cursors; by default, where this user may not write there, "
             "$XDG_STATE_HOME/virtmeter or ~/.local/state/virtmeter.",
     .group = kHost,
     .rule = TextRule::folder},
    {.key = "log_level",
     .environment = "LOG_LEVEL",
     .member = &Settings::log_level,
     .help = "The least serious kind of line that is logged.",
     .group = kHost,
     .choices = kLogLevels,
     .reload = Reload::log},
    {.key = "log_file",
     .environment = "LOG_FILE",
     .member = &Settings::log_file,
     .help = "A log file (rotated, bounded) besides stderr or the journal; empty is none.",
     .group = kHost,
     .reload = Reload::log,
     .example = "/var/log/virtmeter.log"},
    {.key = "http.listen",
     .environment = "HTTP_LISTEN",
     .member = &Settings::http_listen,
     .help = "The address and port to serve on; empty is no server.",
     .group = kHttp,
     .rule = TextRule::listen_address},
    {.key = "process.core_dump",
     .environment = "PROCESS_CORE_DUMP",
     .member = &Settings::core_dumps,
     .help = "Whether a crash may leave a core file, which would hold the database's token.",
     .group = kProcess,
     .choices = kCoreDumps},
    {.key = "libvirt.chunk_vms",
     .environment = "LIBVIRT_CHUNK_VMS",
     .member = &Settings::libvirt_chunk_vms,
     .help = "VMs per bulk request.",
     .group = kLibvirt,
     .minimum = 1,
     .maximum = 1000},
    {.key = "spool.max_bytes",
     .environment = "SPOOL_MAX_BYTES",
     .member = &Settings::spool_max_bytes,
     .help = "The most that waiting lines take on disk; what is over is dropped, the oldest first.",
     .group = kSpool,
     .minimum = std::int64_t{16} << 20},
    {.key = "spool.max_age",
     .environment = "SPOOL_MAX_AGE",
     .member = &Settings::spool_max_age,
     .help = "Lines that have waited longer are dropped; no more than what the database keeps.",
     .group = kSpool,
     .minimum = in_ns(seconds(60)),
     .maximum = in_ns(hours(24 * 3650))},
    {.key = "spool.min_free_bytes",
     .environment = "SPOOL_MIN_FREE_BYTES",
     .member = &Settings::spool_min_free_bytes,
     .help = "What the disk keeps free for others, but no more than a tenth of it.",
     .group = kSpool},
    {.key = "spool.sync",
     .environment = "SPOOL_SYNC",
     .member = &Settings::spool_sync,
     .help = "When lines are made safe against a power cut: after every cycle, every 5 s, or when the kernel "
             "does.",
     .group = kSpool,
     .choices = kSpoolSync},
    {.key = "spool.drain_lines_per_sec",
     .environment = "SPOOL_DRAIN_LINES_PER_SEC",
     .member = &Settings::spool_drain_lines_per_sec,
     .help =
         "How fast old lines are sent after an outage, besides new ones; 0 is 20 times the rate of new ones.",
     .group = kSpool,
     .maximum = 10'000'000},
    {.key = "file.path",
     .environment = "FILE_PATH",
     .member = &Settings::file_path,
     .help = "Where lines go; empty is lines.lp in state_dir.",
     .group = kFile,
     .reload = Reload::sink,
     .example = "/var/lib/virtmeter/lines.lp"},
    {.key = "file.max_bytes",
     .environment = "FILE_MAX_BYTES",
     .member = &Settings::file_max_bytes,
     .help = "The most that is kept on disk, one rotated file included.",
     .group = kFile,
     .minimum = std::int64_t{1} << 20,
     .reload = Reload::sink},
});

OptionType type_of_member(std::string Settings::*) { return OptionType::string; }
OptionType type_of_member(Secret Settings::*) { return OptionType::secret; }
OptionType type_of_member(std::int64_t Settings::*) { return OptionType::integer; }
OptionType type_of_member(nanoseconds Settings::*) { return OptionType::duration; }
template <typename Enum>
OptionType type_of_member(Enum Settings::*) {
  return OptionType::choice;
}

std::string text_of(const Option&, const std::string& value) { return value; }
std::string text_of(const Option&, const Secret& value) {
  return value.empty() ? "" : "(set, " + std::to_string(value.size_bytes()) + " characters)";
}
std::string text_of(const Option&, std::int64_t value) { return std::to_string(value); }
std::string text_of(const Option&, nanoseconds value) { return format_duration(value); }
template <typename Enum>
std::string text_of(const Option& option, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  CHECK(index < option.choices.size());
  return std::string(option.choices[index]);
}

std::string joined(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

std::string range_text(const Option& option) {
  const auto text = [&](std::int64_t bound) {
    return type_of(option) == OptionType::duration ? format_duration(nanoseconds(bound))
                                                   : std::to_string(bound);
  };
  if (option.maximum == Option::kNoMaximum) return "at least " + text(option.minimum);
  return text(option.minimum) + " to " + text(option.maximum);
}

std::string_view rule_text(TextRule rule) {
  switch (rule) {
    case TextRule::any:
      return "text";
    case TextRule::not_empty:
      return "text, not empty";
    case TextRule::folder:
      return "folder";
    case TextRule::web_address:
      return "http:// or https:// address, or empty";
    case TextRule::listen_address:
      return "host:port, or empty";
  }
  return "text";
}

// The key with its dots as underscores: what http_listen, influx.url and log.level have in common with the
// key that was meant.
std::string flattened(std::string_view key) {
  std::string out(key);
  std::replace(out.begin(), out.end(), '.', '_');
  return out;
}

// The distance is quadratic in the word, and no key is this long.
constexpr std::size_t kSuggestionBytesMax = 64;

}  // namespace

std::span<const Option> options() { return kOptions; }

std::size_t option_index(const Option& option) {
  const auto index = static_cast<std::size_t>(&option - kOptions.data());
  CHECK(index < kOptions.size());
  return index;
}

const Option* find_option(std::string_view key) {
  const auto found =
      std::find_if(kOptions.begin(), kOptions.end(), [&](const Option& o) { return o.key == key; });
  return found == kOptions.end() ? nullptr : &*found;
}

OptionType type_of(const Option& option) {
  return std::visit([](auto member) { return type_of_member(member); }, option.member);
}

std::string_view table_of(std::string_view key) {
  const std::size_t dot = key.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
}

std::string_view leaf_of(std::string_view key) {
  const std::size_t dot = key.rfind('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

std::vector<std::string_view> option_tables() {
  std::vector<std::string_view> tables;
  for (const Option& option : kOptions) {
    const std::string_view table = table_of(option.key);
    if (!table.empty() && std::find(tables.begin(), tables.end(), table) == tables.end())
      tables.push_back(table);
  }
  return tables;
}

std::string flag_name(const Option& option) {
  std::string name = "--" + flattened(option.key);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string value_text(const Option& option, const Settings& settings) {
  return std::visit([&](auto member) { return text_of(option, settings.*member); }, option.member);
}

std::string default_text(const Option& option) { return value_text(option, Settings{}); }

std::string example_text(const Option& option) {
  return option.example.empty() ? default_text(option) : std::string(option.example);
}

std::string toml_literal(const Option& option, std::string_view text) {
  if (type_of(option) == OptionType::integer) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string type_text(const Option& option) {
  switch (type_of(option)) {
    case OptionType::string:
    case OptionType::secret:
      return "a text";
    case OptionType::integer:
      return "a whole number";
    case OptionType::duration:
      return "a duration";
    case OptionType::choice:
      return "one of " + joined(option.choices);
  }
  return "a text";
}

std::string allowed_text(const Option& option) {
  switch (type_of(option)) {
    case OptionType::string:
    case OptionType::secret:
      return std::string(rule_text(option.rule));
    case OptionType::integer:
    case OptionType::duration:
      return range_text(option);
    case OptionType::choice:
      return joined(option.choices);
  }
  return "text";
}

bool same_value(const Option& option, const Settings& a, const Settings& b) {
  return std::visit([&](auto member) { return a.*member == b.*member; }, option.member);
}

void copy_value(const Option& option, const Settings& from, Settings& to) {
  std::visit([&](auto member) { to.*member = from.*member; }, option.member);
}

std::string_view reload_text(Reload reload) {
  return reload == Reload::at_start ? "at the next start" : "yes";
}

std::string_view suggest_key(std::string_view key) {
  if (key.size() > kSuggestionBytesMax) return {};
  std::vector<std::string_view> keys;
  std::vector<std::string_view> siblings;
  std::vector<std::string_view> leaves;
  for (const Option& option : kOptions) {
    if (flattened(option.key) == flattened(key)) return option.key;
    keys.push_back(option.key);
    if (table_of(option.key) != table_of(key)) continue;
    siblings.push_back(option.key);
    leaves.push_back(leaf_of(option.key));
  }
  // The same table first: a prefix both share must not make a far key look near, so leaves are compared.
  const std::string_view sibling = nearest(leaf_of(key), leaves);
  if (!sibling.empty()) {
    return siblings[static_cast<std::size_t>(std::find(leaves.begin(), leaves.end(), sibling) -
                                             leaves.begin())];
  }
  for (const std::string_view other : keys) {
    if (leaf_of(other) == leaf_of(key)) return other;
  }
  return nearest(key, keys);
}

std::string_view suggest_table(std::string_view table) {
  if (table.size() > kSuggestionBytesMax) return {};
  return nearest(table, option_tables());
}

}  // namespace virtmeter
