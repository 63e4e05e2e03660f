#include "sink/influx_words.h"

#include <fmt/format.h>

#include "base/text.h"

namespace virtmeter {
namespace {

std::string filled_in(std::string_view text, const InfluxTarget& target) {
  std::string out(text);
  const auto fill = [&](std::string_view name, std::string_view value) {
    const std::size_t at = out.find(name);
    if (at != std::string::npos) out.replace(at, name.size(), printable(value));
  };
  fill("{org}", target.org);
  fill("{database}", target.database);
  return out;
}

}  // namespace

Answer judge_response(const HttpResponse& response, const InfluxTarget& target, std::uint64_t line_count) {
  const auto secrets = secrets_of(target);
  ServerWords words;
  words.status = response.status;
  words.body = response.body;
  words.error_header = response.header("X-Influxdb-Error");
  words.secrets = secrets;
  return judge(words, line_count);
}

Error explain(const Answer& answer, const HttpResponse& response, const InfluxTarget& target) {
  std::string said = fmt::format("HTTP {}", response.status);
  const std::string_view location = response.header("Location");
  if (response.status / 100 == 3 && !location.empty()) {
    const auto secrets = secrets_of(target);
    said += fmt::format(", to {}", harmless(std::string(location), secrets, kWordsBytesMax));
  } else if (!answer.words.empty()) {
    said += ": " + answer.words;
  }
  std::string fix = filled_in(answer.fix, target);
  if (answer.kind == Errc::permission && target.token.empty()) {
    fix = "set influx_token: this server asks for a credential, and none is configured";
  }
  return {answer.kind, fmt::format("{} {} ({})", target.url.origin(), filled_in(answer.clause, target), said),
          std::move(fix)};
}

}  // namespace virtmeter
