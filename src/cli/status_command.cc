// virtmeter status: asks the running daemon. Exit codes: 0 all is well, 69 no daemon answers, 75 it does not
// collect or does not deliver.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/status_table.h"
#include "net/http_client.h"

namespace virtmeter {
namespace {

constexpr std::size_t kAnswerBytesMax = 4u << 20;
constexpr std::chrono::seconds kPatience{5};

ExitCode no_daemon(const std::string& listen, const std::string& why) {
  complain({Errc::unavailable, fmt::format("no virtmeter answers on {}: {}", listen, why),
            "start it: systemctl start virtmeter; or name its address: --http-listen HOST:PORT"});
  return ExitCode::unavailable;
}

}  // namespace

ExitCode run_status(TextFormat format, const Settings& settings) {
  const std::string& listen = settings.http_listen;
  if (listen.empty()) return no_daemon("http.listen", "it is empty, so the daemon serves no status");
  HttpOptions options;
  options.connect_timeout = kPatience;
  options.total_timeout = kPatience;
  options.response_bytes_max = kAnswerBytesMax;
  HttpClient client(options);
  const auto response =
      client.send({HttpMethod::get, fmt::format("http://{}/api/v1/status", listen), {}, {}});
  if (!response) return no_daemon(listen, response.error().message);
  const auto view = response->status == 200 ? status_view(response->body) : std::nullopt;
  if (!view)
    return no_daemon(listen, fmt::format("what answers there is not virtmeter (HTTP {})", response->status));
  const ExitCode printed = print(format == TextFormat::json ? response->body : view->table);
  if (printed != ExitCode::ok) return printed;
  return view->ready ? ExitCode::ok : ExitCode::temporary;
}

}  // namespace virtmeter
