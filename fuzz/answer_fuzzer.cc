// A server's whole answer, from hostile hands: what it means, what is said of it, how long to wait, which
// product it names and when its process was started. Input: five header values and a status, a line each,
// then the body.
#include <algorithm>
#include <charconv>
#include <string>

#include "base/check.h"
#include "base/text.h"
#include "input.h"
#include "net/retry_after.h"
#include "sink/influx_words.h"
#include "sink/restart_watch.h"

namespace virtmeter {
namespace {

constexpr std::uint64_t kLines = 100;
constexpr std::string_view kSecret = "s3cret:t0ken";

HttpResponse response_of(std::string_view input) {
  constexpr std::string_view kNames[] = {"Retry-After", "X-Influxdb-Version", "X-Influxdb-Error", "Location",
                                         "X-Server-Hostname"};
  HttpResponse response;
  const auto take_line = [&] {
    const std::size_t end = std::min(input.find('\n'), input.size());
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    return line;
  };
  const std::string_view status = take_line();
  std::from_chars(status.data(), status.data() + status.size(), response.status);
  for (const std::string_view name : kNames) {
    const std::string_view value = take_line();
    if (!value.empty()) response.headers.push_back({std::string(name), std::string(value)});
  }
  response.body = input;
  return response;
}

void check_words(const std::string& words) {
  CHECK(words.size() <= 4 * kWordsBytesMax);
  CHECK(printable(words, words.size()) == words);
  CHECK(words.find(kSecret) == std::string::npos);
}

void check_answer(const Answer& answer) {
  CHECK(answer.lost_lines <= kLines);
  CHECK(answer.named.size() <= kLines);
  check_words(answer.words);
  std::uint64_t next = 0;
  for (const NamedLine& line : answer.named) {
    CHECK(line.index >= next && line.index < kLines);
    next = line.index + 1;
    check_words(line.words);
  }
  if (answer.names_all) CHECK(answer.named.size() == answer.lost_lines || answer.lost_lines == 0);
}

}  // namespace
}  // namespace virtmeter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virtmeter;
  static const InfluxTarget target{parse_url("http://influx:8086").value(), "vmstats", "ops",
                                   std::string(kSecret)};
  const HttpResponse response = response_of(fuzz::text_of(data, size));
  const Answer answer = judge_response(response, target, kLines);
  check_answer(answer);
  const Error error = explain(answer, response, target);
  CHECK(printable(error.message, error.message.size()) == error.message);
  const auto wait = parse_retry_after(response.header("Retry-After"), WallTime{1'700'000'000'000'000'000});
  CHECK(!wait || (wait->count() >= 0 && *wait <= std::chrono::hours(24)));
  static_cast<void>(api_of(response));
  static_cast<void>(process_start_of(response.body));
  return 0;
}
