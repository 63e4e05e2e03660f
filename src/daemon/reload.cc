#include "daemon/reload.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/options.h"

namespace virtmeter {
namespace {

constexpr std::size_t kValueBytesMax = 200;

// The file of lines stands in state_dir unless it is named; it does not move there before state_dir does.
bool must_wait(const Option& option, const Settings& running, const Settings& wanted) {
  if (option.reload == Reload::at_start) return true;
  return option.key == "file.path" && running.state_dir != wanted.state_dir &&
         wanted.file_path.starts_with(wanted.state_dir);
}

std::string now_text(const Option& option, const Settings& settings) {
  const std::string value = value_text(option, settings);
  return fmt::format("{} is {} now", option.key,
                     value.empty() ? "not set" : printable(value, kValueBytesMax));
}

void mark(Reload reload, ReloadPlan& plan) {
  plan.collector = plan.collector || reload == Reload::collector;
  plan.sink = plan.sink || reload == Reload::sink;
  plan.log = plan.log || reload == Reload::log;
}

}  // namespace

ReloadPlan plan_reload(const Settings& running, const Settings& wanted) {
  ReloadPlan plan;
  plan.settings = running;
  // Not an option: it goes with influx_token and influx_token_file, which a reload may change.
  plan.settings.influx_token_path = wanted.influx_token_path;
  for (const Option& option : options()) {
    if (same_value(option, running, wanted)) continue;
    if (must_wait(option, running, wanted)) {
      plan.waiting.push_back(fmt::format("{} takes effect at the next start", option.key));
      continue;
    }
    copy_value(option, wanted, plan.settings);
    plan.changed.push_back(now_text(option, plan.settings));
    mark(option.reload, plan);
  }
  return plan;
}

}  // namespace virtmeter
