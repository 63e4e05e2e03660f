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
  if (action == Action::resend) return Action::split;
  if (action == Action::resend_plain) return Action::suspect;
  return action;
}

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
  InfluxTarget target{std::move(url).value(), std::move(options.database), std::move(options.org),
                      std::move(options.token)};
  return std::unique_ptr<Sink>(
      std::make_unique<InfluxSink>(std::move(target), options.api, std::move(options.http), clock));
}

InfluxSink::InfluxSink(InfluxTarget target, InfluxApi api, HttpOptions http, const Clock& clock)
    : target_(std::move(target)), wanted_api_(api), clock_(clock), client_(std::move(http)) {}

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
  Result<InfluxApi> api = detect_influx_api(client_, target_);
  if (!api) return api;
  detected_api_ = *api;
  if (told_api_ != detected_api_)
    log_info("{} takes line protocol by API {}", target_.url.origin(), name_of(*api));
  told_api_ = detected_api_;
  return api;
}

SendResult InfluxSink::write(const Batch& batch) {
  if (poison_.suspects(batch)) return split_if_server_lives(batch);
  const Result<InfluxApi> api = current_api();
  if (!api) return not_sent(api.error());
  Result<HttpResponse> response = post(batch.bytes, *api, Encoding::gzip);
  if (!response) return from_error(batch, response.error());
  Answer answer = judge_response(*response, target_, batch.line_count);

  const Action first = answer.action;
  if (first == Action::resend || first == Action::resend_plain) {
    response = post(batch.bytes, *api, first == Action::resend ? Encoding::gzip : Encoding::plain);
    if (!response) return from_error(batch, response.error());
    answer = judge_response(*response, target_, batch.line_count);
    answer.action = repeated(answer.action);
  }
  return from_answer(batch, *response, answer);
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

SendResult InfluxSink::from_answer(const Batch& batch, const HttpResponse& response, const Answer& answer) {
  SendResult result;
  if (answer.action == Action::deliver) {
    good_line_ = batch.bytes.substr(0, batch.bytes.find('\n') + 1);
    return result;
  }
  result.cause = answer.cause;
  result.error = explain(answer, response, target_);
  result.retry_after = parse_retry_after(response.header("Retry-After"), clock_.wall_now());
  switch (answer.action) {
    case Action::deliver:
    case Action::deliver_partly:
      result.rejected_lines = answer.rejected_lines;
      result.rejected_line = answer.rejected_line;
      break;
    case Action::split:
      result.verdict = Verdict::split;
      break;
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

SendResult InfluxSink::from_error(const Batch& batch, Error error) {
  detected_api_.reset();
  if (error.code == Errc::io) {
    poison_.failed(batch);
    last_loss_ = error;
  }
  return not_sent(std::move(error));
}

// Asked before the batch would be sent once more, not after it was: a server that such a batch kills is up
// again by then, and must not be killed just to see it happen.
SendResult InfluxSink::split_if_server_lives(const Batch& batch) {
  Status lives = answers_ping();
  if (lives && batch.line_count == 1 && !good_line_.empty()) {
    // The line would be lost. A server whose disk hangs answers pings, too, but takes no other line either.
    lives = takes_good_line();
    if (!lives) poison_.forgive();
  }
  if (!lives) return not_sent(std::move(lives).error());
  poison_.condemn(batch);
  SendResult result;
  result.verdict = Verdict::split;
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

// Stores nothing new: the line is there already.
Status InfluxSink::takes_good_line() {
  const Result<InfluxApi> api = current_api();
  if (!api) return api.error();
  const Result<HttpResponse> response = post(good_line_, *api, Encoding::plain);
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
