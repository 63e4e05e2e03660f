#include "sink/influx_sink.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "net/retry_after.h"
#include "sink/influx_detect.h"
#include "sink/influx_words.h"

namespace virtmeter {
namespace {

// Below one network packet, compression saves nothing.
constexpr std::size_t kPlainBytesMax = 1024;
// VictoriaMetrics' page of its own metrics is a tenth of that.
constexpr std::size_t kMetricsBytesMax = 1u << 20;

bool has_control_character(std::string_view text) { return printable(text, text.size()) != text; }

bool asks_for_lines(const HttpResponse& response) {
  // What 2.x before 2.1 and InfluxDB 3 say to an empty write when everything else about it is right.
  return response.status == 400 && (response.body.find("writing requires points") != std::string::npos ||
                                    response.body.find("incoming write was empty") != std::string::npos);
}

SendResult not_sent(Error error) {
  SendResult result;
  const bool passing = error.code == Errc::unavailable || error.code == Errc::io;
  result.verdict = passing ? Verdict::retry : Verdict::stop_and_say;
  result.error = std::move(error);
  return result;
}

// An answer that came again to what was sent again.
Action repeated(Action action) {
  if (action == Action::resend) return Action::search;
  if (action == Action::resend_plain) return Action::suspect;
  return action;
}

Loss loss_of(Action action) {
  if (action == Action::deliver_expired) return Loss::expired;
  return action == Action::deliver_limited ? Loss::limited : Loss::rejected;
}

bool may_work(std::string_view token) { return !token.empty() && !has_control_character(token); }

}  // namespace

Result<std::unique_ptr<Sink>> InfluxSink::open(InfluxOptions options, const Clock& clock) {
  Result<Url> url = parse_url(options.url);
  if (!url) {
    return Error{url.error().code, "influx_url: " + url.error().message, url.error().fix};
  }
  if (options.database.empty()) {
    return Error{Errc::invalid, "influx_db: is empty", "name the database, or the bucket of InfluxDB 2.x"};
  }
  if (options.api == InfluxApi::v2 && options.org.empty()) {
    return Error{Errc::invalid, "influx_org: is empty", "name the organization that the bucket belongs to"};
  }
  if (has_control_character(options.token)) {
    return Error{Errc::invalid, "influx_token: holds a control character or is no UTF-8",
                 "look for a line break inside the token or its file"};
  }
  InfluxTarget target{std::move(url).value(), options.database, options.org, options.token};
  return std::unique_ptr<Sink>(std::make_unique<InfluxSink>(std::move(target), std::move(options), clock));
}

InfluxSink::InfluxSink(InfluxTarget target, InfluxOptions options, const Clock& clock)
    : target_(std::move(target)),
      read_token_(std::move(options.read_token)),
      wanted_api_(options.api),
      clock_(clock),
      unread_(clock),
      client_(std::move(options.http)) {}

std::string InfluxSink::target() const {
  return fmt::format("{}, database \"{}\"", target_.url.base(), printable(target_.database));
}

SendResult InfluxSink::send(const Batch& batch) {
  cost_ = {};
  SendResult result = write(batch);
  result.cost = cost_;
  return result;
}

Result<InfluxApi> InfluxSink::current_api() {
  if (wanted_api_ != InfluxApi::automatic) return wanted_api_;
  if (detected_api_) return *detected_api_;
  Result<InfluxApi> api = detect_api();
  if (!api) return api;
  detected_api_ = *api;
  if (told_api_ != detected_api_)
    log_info("{} takes line protocol by API {}", target_.url.origin(), name_of(*api));
  told_api_ = detected_api_;
  return api;
}

Result<InfluxApi> InfluxSink::detect_api() {
  Result<InfluxApi> api = detect_influx_api(client_, target_);
  if (!api && api.error().code == Errc::permission && renew_token())
    api = detect_influx_api(client_, target_);
  return api;
}

SendResult InfluxSink::write(const Batch& batch) {
  if (poison_.suspects(batch)) {
    if (std::optional<SendResult> split = split_if_server_lives(batch)) return *std::move(split);
  }
  const Result<InfluxApi> api = current_api();
  if (!api) return without_api(api.error());
  Result<HttpResponse> response = post(batch.bytes, *api, Encoding::gzip);
  if (!response) return from_error(batch, response.error());
  Answer answer = judge_response(*response, target_, batch.line_count);

  if (const auto encoding = encoding_for_second_try(answer.action)) {
    response = post(batch.bytes, *api, *encoding);
    if (!response) return from_error(batch, response.error());
    answer = judge_response(*response, target_, batch.line_count);
    answer.action = repeated(answer.action);
  }
  return from_answer(batch, *response, std::move(answer));
}

std::optional<InfluxSink::Encoding> InfluxSink::encoding_for_second_try(Action action) {
  if (action == Action::resend) return Encoding::gzip;
  if (action == Action::resend_plain) return Encoding::plain;
  if (action == Action::renew_credential && renew_token()) return Encoding::gzip;
  return std::nullopt;
}

// Whether there is another token than the one that was refused.
bool InfluxSink::renew_token() {
  if (!read_token_) return false;
  Result<std::string> token = read_token_();
  if (!token) {
    unread_.warn("token", fmt::format("the credential was refused and cannot be read again: {}; fix: {}",
                                      token.error().message, token.error().fix));
    return false;
  }
  if (*token == target_.token || !may_work(*token)) return false;
  target_.token = std::move(token).value();
  log_info("the credential for {} was read again: it has changed", target_.url.origin());
  return true;
}

Result<HttpResponse> InfluxSink::post(std::string_view lines, InfluxApi api, Encoding encoding) {
  HttpRequest request{HttpMethod::post, write_url(target_, api), {}, lines};
  request.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
  if (auto credential = authorization(target_, api)) request.headers.push_back(*std::move(credential));
  if (encoding == Encoding::gzip && lines.size() > kPlainBytesMax) {
    request.headers.push_back({"Content-Encoding", "gzip"});
    request.body = gzip_.compress(lines);
  }
  ++cost_.requests;
  cost_.raw_bytes += lines.size();
  cost_.wire_bytes += request.body.size();
  return client_.send(request);
}

SendResult InfluxSink::from_answer(const Batch& batch, const HttpResponse& response, Answer answer) {
  SendResult result;
  result.status = response.status;
  result.replay = was_restarted(response);
  if (answer.action == Action::deliver) {
    good_line_ = batch.bytes.substr(0, batch.bytes.find('\n') + 1);
    return result;
  }
  result.cause = answer.cause;
  result.error = explain(answer, response, target_);
  result.retry_after = parse_retry_after(response.header("Retry-After"), clock_.wall_now());
  result.words = std::move(answer.words);
  result.named = std::move(answer.named);
  result.lost_lines = answer.lost_lines;
  result.loss = loss_of(answer.action);
  switch (answer.action) {
    case Action::deliver:
    case Action::deliver_expired:
    case Action::deliver_limited:
      break;
    case Action::deliver_partly:
      if (!answer.names_all) result.verdict = Verdict::partly;
      break;
    case Action::search:
      result.verdict = Verdict::refused;
      break;
    case Action::halve:
      result.verdict = Verdict::halve;
      break;
    case Action::renew_credential:
    case Action::stop_and_say:
      result.verdict = Verdict::stop_and_say;
      // Whatever was detected may be another product by now.
      detected_api_.reset();
      break;
    case Action::suspect:
      poison_.failed(batch);
      last_loss_ = result.error;
      [[fallthrough]];
    case Action::resend:
    case Action::resend_plain:
    case Action::retry:
      result.verdict = Verdict::retry;
      break;
  }
  return result;
}

// Only VictoriaMetrics acknowledges what it would lose.
bool InfluxSink::was_restarted(const HttpResponse& response) {
  if (response.status / 100 != 2 || api_of(response) != InfluxApi::victoria_metrics) return false;
  if (client_.connections_made() == connections_asked_) return false;
  connections_asked_ = client_.connections_made();
  HttpRequest request{HttpMethod::get, target_.url.base() + "/metrics", {}, {}, kMetricsBytesMax};
  if (auto credential = authorization(target_, InfluxApi::victoria_metrics))
    request.headers.push_back(*std::move(credential));
  const Result<HttpResponse> metrics = client_.send(request);
  const bool answered = metrics && metrics->status == 200;
  return restarts_.accepted_by(answered ? process_start_of(metrics->body) : std::nullopt);
}

SendResult InfluxSink::without_api(Error error) {
  if (error.code == Errc::unavailable || error.code == Errc::io) restarts_.connection_failed();
  return not_sent(std::move(error));
}

SendResult InfluxSink::from_error(const Batch& batch, Error error) {
  detected_api_.reset();
  restarts_.connection_failed();
  if (error.code == Errc::io) {
    poison_.failed(batch);
    last_loss_ = error;
  }
  return not_sent(std::move(error));
}

// Asked before the batch would be sent once more, not after it was: a server that such a batch kills is up
// again by then, and must not be killed just to see it happen. Nothing: it is to be sent once more.
std::optional<SendResult> InfluxSink::split_if_server_lives(const Batch& batch) {
  Status lives = answers_ping();
  const std::string& known = good_line_.empty() ? other_line_ : good_line_;
  if (lives && batch.line_count == 1 && !known.empty()) {
    // The line would be lost. A server whose disk hangs answers pings, too, but takes no other line either.
    lives = takes(known);
    // Only now may it be back: the line counts as bad when it is lost between two that are taken.
    const bool is_proved = tried_after_other_ == batch.first_line;
    tried_after_other_.reset();
    if (!lives) poison_.forgive();
    if (lives && !is_proved) {
      tried_after_other_ = batch.first_line;
      return std::nullopt;
    }
  }
  if (!lives) return not_sent(std::move(lives).error());
  poison_.condemn(batch);
  if (batch.line_count > 1 && other_line_.empty())
    other_line_ = std::string(line_at(batch, batch.line_count - 1)) + "\n";
  SendResult result;
  result.verdict = Verdict::halve;
  result.cause = "connection lost over it";
  result.error = last_loss_;
  result.error.message += ", again and again over the same lines, though it answers otherwise";
  return result;
}

Status InfluxSink::answers_ping() {
  const auto response = client_.send({HttpMethod::get, ping_url(target_), {}, {}});
  if (!response) return response.error();
  if (response->status < 500) return Status::ok();
  return explain(judge_response(*response, target_, 0), *response, target_);
}

// Stores nothing that is not there already or comes anyway.
Status InfluxSink::takes(std::string_view line) {
  const Result<InfluxApi> api = current_api();
  if (!api) return api.error();
  const Result<HttpResponse> response = post(line, *api, Encoding::plain);
  if (!response) return response.error();
  const Answer answer = judge_response(*response, target_, 1);
  if (answer.action == Action::deliver) return Status::ok();
  return explain(answer, *response, target_);
}

Status InfluxSink::check() {
  const Result<InfluxApi> api = current_api();
  if (!api) return api.error();
  // A write without lines meets every gate that one with lines meets, and stores nothing.
  const Result<HttpResponse> response = post({}, *api, Encoding::plain);
  if (!response) return response.error();
  if (asks_for_lines(*response)) return Status::ok();
  const Answer answer = judge_response(*response, target_, 0);
  if (answer.action == Action::deliver) return Status::ok();
  return explain(answer, *response, target_);
}

}  // namespace virtmeter
