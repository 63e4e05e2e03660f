// InfluxSink: line protocol over HTTP to InfluxDB 1.x, 2.x, 3 and VictoriaMetrics, one request per batch.
// Points are idempotent, so whenever it is not known whether a batch arrived, the same bytes are sent again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "net/http_client.h"
#include "sink/answer.h"
#include "sink/gzip.h"
#include "sink/influx_api.h"
#include "sink/poison_watch.h"
#include "sink/restart_watch.h"
#include "sink/sink.h"

namespace virtmeter {

struct InfluxOptions {
  std::string url;
  std::string database;
  std::string org;
  std::string token;
  InfluxApi api = InfluxApi::automatic;
  HttpOptions http;
  // Reads the token again, from where it came; asked when the server refuses it. Empty: it cannot change.
  std::function<Result<std::string>()> read_token;
};

// The delivery thread only, but for name(), target() and cancel(), which are thread-safe.
class InfluxSink final : public Sink {
 public:
  // Fails on settings that no server could satisfy; does not connect.
  static Result<std::unique_ptr<Sink>> open(InfluxOptions options, const Clock& clock);

  InfluxSink(InfluxTarget target, InfluxOptions options, const Clock& clock);

  std::string_view name() const override { return "influx"; }
  std::string target() const override;
  SendResult send(const Batch& batch) override;
  Status check() override;
  void cancel() override { client_.cancel(); }

 private:
  enum class Encoding : std::uint8_t { gzip, plain };

  Result<InfluxApi> current_api();
  Result<InfluxApi> detect_api();
  SendResult write(const Batch& batch);
  Result<HttpResponse> post(std::string_view lines, InfluxApi api, Encoding encoding);
  std::optional<Encoding> encoding_for_second_try(Action action);
  bool renew_token();
  SendResult from_answer(const Batch& batch, const HttpResponse& response, Answer answer);
  bool was_restarted(const HttpResponse& response);
  SendResult from_error(const Batch& batch, Error error);
  SendResult without_api(Error error);
  std::optional<SendResult> split_if_server_lives(const Batch& batch);
  Status answers_ping();
  Status takes(std::string_view line);

  InfluxTarget target_;  // All but the token is constant.
  const std::function<Result<std::string>()> read_token_;
  const InfluxApi wanted_api_;
  const Clock& clock_;
  LimitedLog unread_;
  HttpClient client_;
  Gzip gzip_;
  PoisonWatch poison_;
  RestartWatch restarts_;
  std::uint64_t connections_asked_ = 0;  // When restarts_ was last asked.
  std::string good_line_;   // The server took it: the first line of the last batch that was stored.
  std::string other_line_;  // Until it took one: the last line of the batch that is being split for poison.
  std::optional<std::uint64_t>
      tried_after_other_;  // The single line that is tried since the server took another.
  Error last_loss_;        // How the connection was lost over the batch that poison_ watches.
  std::optional<InfluxApi> detected_api_;
  std::optional<InfluxApi> told_api_;  // What the log last said.
  SendCost cost_;                      // Of the send() under way.
};

}  // namespace virtmeter
