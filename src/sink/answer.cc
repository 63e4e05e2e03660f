#include "sink/answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace virtmeter {
namespace {

using nlohmann::json;

struct Row {
  int status_min;
  int status_max;
  std::string_view needle;  // Must stand in the body; empty: any body.
  Action action;
  Errc kind;
  std::string_view cause;
  std::string_view clause;
  std::string_view fix;
};

constexpr std::string_view kNoFix;
constexpr std::string_view kRefusedLines = "refused some lines";
constexpr std::string_view kRefusedRequest = "refused the request";
constexpr std::string_view kFixLine = "look at the line that is shown, and at the server's log";
constexpr std::string_view kFixType =
    "a field changed its type: drop the old measurement there, or write to another database";
constexpr std::string_view kFixUrl =
    "check that the URL is that of the database itself, with its path if it is behind a proxy, and "
    "influx_api";
constexpr std::string_view kFixCredential =
    "set influx_token to a credential that may write \"{database}\" (InfluxDB 1.x: user:password), and "
    "restart virtmeter";
constexpr std::string_view kFixDatabase1 =
    "create it: influx -execute 'CREATE DATABASE \"{database}\" WITH DURATION 30d'";
constexpr std::string_view kFixBucket =
    "create it: influx bucket create -n \"{database}\" -r 30d; and check influx_org";
constexpr std::string_view kFixHttps = "write https:// instead of http:// in influx_url";
constexpr std::string_view kFixLimit1 =
    "raise max-series-per-database and max-values-per-tag in influxdb.conf";
constexpr std::string_view kFixLimit3 =
    "delete databases, tables or columns that nobody needs: InfluxDB 3 Core allows 5, 2000 and 500";
constexpr std::string_view kFixExpired =
    "compare this host's clock with the server's, and the database's retention with the age of the backlog";
constexpr std::string_view kFixFull =
    "give the server memory or disk space; virtmeter keeps the lines and tries again";
constexpr std::string_view kFixLater = "nothing, if it passes; else look into the server's log";

// The first row that fits counts, so the more special texts stand before the general ones. A text that may
// stand in an answer to a bad line holds a space: servers quote the line, whose names come from strangers,
// and in a name every space is escaped.
// clang-format off
constexpr auto kRows = std::to_array<Row>({
    {200, 299, "", Action::deliver, {}, "stored", "stored all lines", kNoFix},
    // InfluxDB Enterprise 1.x: the lines are queued for another node.
    {100, 599, "hinted handoff queue not empty", Action::deliver, {}, "stored", "stored all lines", kNoFix},

    {400, 422, "Adding a new database would exceed limit of", Action::stop_and_say, Errc::limit, "database limit", "allows no further database \"{database}\"", kFixLimit3},
    {400, 422, "Update to schema would exceed number of", Action::deliver_partly, Errc::limit, "schema limit", kRefusedLines, kFixLimit3},
    {400, 422, "partial write of line protocol occurred", Action::deliver_partly, Errc::invalid, "partial write", kRefusedLines, kFixLine},
    {400, 422, "partial write: points beyond retention policy", Action::deliver_partly, Errc::invalid, "older than the retention", kRefusedLines, kFixExpired},
    {400, 422, "partial write: max-series-per-database limit exceeded", Action::deliver_partly, Errc::limit, "series limit", kRefusedLines, kFixLimit1},
    {400, 422, "partial write: max-values-per-tag limit exceeded", Action::deliver_partly, Errc::limit, "tag value limit", kRefusedLines, kFixLimit1},
    {400, 422, "partial write: field type conflict", Action::deliver_partly, Errc::invalid, "field type conflict", kRefusedLines, kFixType},
    {400, 422, "partial write:", Action::deliver_partly, Errc::invalid, "partial write", kRefusedLines, kFixLine},

    {400, 422, "field type conflict", Action::resend, Errc::invalid, "field type conflict", kRefusedRequest, kFixType},
    {400, 400, "unable to parse", Action::split, Errc::invalid, "unable to parse", kRefusedRequest, kFixLine},
    {400, 400, "unexpected EOF", Action::resend_plain, Errc::invalid, "gzip", "did not understand the compressed request", kFixLater},
    {400, 400, "gzip: invalid", Action::resend_plain, Errc::invalid, "gzip", "did not understand the compressed request", kFixLater},
    {400, 400, "decoding gzip stream", Action::resend_plain, Errc::invalid, "gzip", "did not understand the compressed request", kFixLater},
    {400, 400, "HTTP request to an HTTPS server", Action::stop_and_say, Errc::invalid, "https", "wants https", kFixHttps},
    {400, 400, "sent to HTTPS port", Action::stop_and_say, Errc::invalid, "https", "wants https", kFixHttps},
    {400, 400, "unsupported path requested", Action::stop_and_say, Errc::invalid, "no such API", "has no such API", kFixUrl},
    {400, 400, "missing -http.pathPrefix", Action::stop_and_say, Errc::invalid, "no such API", "has no such API", kFixUrl},
    {400, 400, "database is required", Action::stop_and_say, Errc::invalid, "no database named", "asks which database", "set influx_db"},
    {400, 400, "provide either orgID or org", Action::stop_and_say, Errc::invalid, "no organization named", "asks which organization", "set influx_org"},
    {400, 400, "soft-deleted database", Action::stop_and_say, Errc::not_found, "database deleted", "has deleted database \"{database}\"", "write to another influx_db, or create it again once it is gone there"},
    {400, 400, "Authorization header was malformed", Action::stop_and_say, Errc::permission, "credential", "refused the credential", kFixCredential},
    {400, 400, "", Action::split, Errc::invalid, "bad request", kRefusedRequest, kFixLine},
    {422, 422, "", Action::split, Errc::invalid, "unprocessable", kRefusedRequest, kFixLine},

    {401, 401, "", Action::stop_and_say, Errc::permission, "credential", "refused the credential", kFixCredential},
    {403, 403, "", Action::stop_and_say, Errc::permission, "credential", "does not let this credential write \"{database}\"", kFixCredential},
    {404, 404, "database not found", Action::stop_and_say, Errc::not_found, "no such database", "has no database \"{database}\"", kFixDatabase1},
    {404, 404, "bucket", Action::stop_and_say, Errc::not_found, "no such bucket", "has no bucket \"{database}\"", kFixBucket},
    {404, 404, "organization", Action::stop_and_say, Errc::not_found, "no such organization", "has no organization \"{org}\"", "set influx_org to the organization's name"},
    {404, 404, "", Action::stop_and_say, Errc::invalid, "no such API", "has no such API", kFixUrl},
    {405, 405, "", Action::stop_and_say, Errc::invalid, "no such API", "takes no writes at this address", kFixUrl},
    {408, 408, "", Action::suspect, Errc::unavailable, "timeout", "did not get the request in time", kFixLater},
    {413, 413, "", Action::split, Errc::limit, "too large", "finds the request too large", kFixLine},
    {415, 415, "", Action::stop_and_say, Errc::invalid, "no such API", "does not take line protocol", kFixUrl},
    {429, 429, "", Action::retry, Errc::unavailable, "throttled", "wants fewer requests", "nothing, if it passes; else raise the server's limit, poll_interval or batch_max_lines"},
    {300, 399, "", Action::stop_and_say, Errc::invalid, "redirect", "redirects to another address", "write that address in influx_url; virtmeter follows no redirect, so that the token goes nowhere else"},
    {400, 499, "", Action::stop_and_say, Errc::invalid, "refused", kRefusedRequest, kFixUrl},

    {500, 500, "retention policy not found", Action::stop_and_say, Errc::not_found, "no retention policy", "has no such retention policy in database \"{database}\"", "make one the default: ALTER RETENTION POLICY ... ON \"{database}\" DEFAULT"},
    {500, 500, "cache-max-memory-size exceeded", Action::retry, Errc::unavailable, "server full", "has no memory left", kFixFull},
    {500, 500, "unexpected EOF", Action::resend_plain, Errc::unavailable, "gzip", "did not understand the compressed request", kFixLater},
    {500, 500, "unable to read data", Action::resend_plain, Errc::unavailable, "gzip", "did not understand the compressed request", kFixLater},
    {502, 502, "", Action::suspect, Errc::unavailable, "gateway", "is behind a proxy that does not reach it", kFixLater},
    {503, 503, "minFreeDiskSpaceBytes", Action::retry, Errc::unavailable, "server full", "has no disk space left", kFixFull},
    {503, 503, "read-only", Action::retry, Errc::unavailable, "server full", "has no disk space left", kFixFull},
    {503, 503, "", Action::retry, Errc::unavailable, "overloaded", "is not ready or overloaded", kFixLater},
    {504, 504, "", Action::suspect, Errc::unavailable, "gateway", "is behind a proxy that waited too long for it", kFixLater},
    {500, 599, "", Action::retry, Errc::unavailable, "server error", "failed", kFixLater},
});
// clang-format on

constexpr Row kStrange = {0,
                          999,
                          "",
                          Action::retry,
                          Errc::unavailable,
                          "strange answer",
                          "gave an answer that no HTTP server gives",
                          kFixUrl};

const Row& find_row(const ServerWords& words) {
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) {
    return words.status >= r.status_min && words.status <= r.status_max &&
           words.body.find(r.needle) != std::string_view::npos;
  });
  return row == kRows.end() ? kStrange : *row;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// InfluxDB 3: {"error":"...","data":[{"error_message":"...","line_number":2,"original_line":"..."}, ...]}, or
// "data" as one such object.
const json* first_line_error(const json& body) {
  const auto data = body.find("data");
  if (data == body.end()) return nullptr;
  if (data->is_object()) return &*data;
  return data->is_array() && !data->empty() && data->front().is_object() ? &data->front() : nullptr;
}

std::string raw_words(const ServerWords& words, const json& body) {
  if (body.is_object()) {
    std::string text = text_of(body, "error");
    if (text.empty()) text = text_of(body, "message");
    const json* line = first_line_error(body);
    if (line != nullptr) text += ": " + text_of(*line, "error_message");
    if (!text.empty()) return text;
  }
  return std::string(words.error_header.empty() ? words.body : words.error_header);
}

std::string harmless(std::string text, std::span<const std::string> secrets) {
  for (const std::string& secret : secrets) {
    for (std::size_t at = 0; !secret.empty() && (at = text.find(secret, at)) != std::string::npos; at += 3) {
      text.replace(at, secret.size(), "***");
    }
  }
  return printable(trimmed(text), kWordsBytesMax);
}

// InfluxDB 1.x and 2.x: "dropped=3". For lines it could not parse it says dropped=0 and lists them instead,
// each "unable to parse '...': ..." on a line of its own.
std::uint64_t dropped_by_words(std::string_view text) {
  constexpr std::string_view kDropped = "dropped=";
  constexpr std::string_view kUnparsed = "unable to parse '";
  constexpr std::string_view kPartial = "partial write: ";
  std::uint64_t dropped = 0;
  const std::size_t at = text.rfind(kDropped);
  if (at != std::string_view::npos) {
    std::from_chars(text.data() + at + kDropped.size(), text.data() + text.size(), dropped);
  }
  std::uint64_t unparsed = 0;
  for (std::size_t from = text.find(kUnparsed); from != std::string_view::npos;
       from = text.find(kUnparsed, from + 1)) {
    const std::string_view before = text.substr(0, from);
    if (before.empty() || before.ends_with(kPartial) || before.ends_with('\n')) ++unparsed;
  }
  return std::max(dropped, unparsed);
}

void count_rejected(Answer& answer, std::string_view text, const json& body, std::uint64_t line_count) {
  std::uint64_t rejected = dropped_by_words(text);
  const json* line = body.is_object() ? first_line_error(body) : nullptr;
  if (line != nullptr) {
    rejected = body["data"].is_array() ? body["data"].size() : 1;
    const auto number = line->find("line_number");
    if (number != line->end() && number->is_number_unsigned()) {
      const auto from_one = number->get<std::uint64_t>();
      if (from_one >= 1 && from_one <= line_count) answer.rejected_line = from_one - 1;
    }
  }
  // The server said "partial": at least one line is gone, and never more than were sent.
  answer.rejected_lines =
      std::clamp<std::uint64_t>(rejected, std::min<std::uint64_t>(line_count, 1), line_count);
}

}  // namespace

Answer judge(const ServerWords& words, std::uint64_t line_count) {
  const Row& row = find_row(words);
  Answer answer{row.action, row.kind, row.cause, row.clause, row.fix, {}, 0, std::nullopt};
  if (row.action == Action::deliver) return answer;
  const json body = json::parse(words.body.begin(), words.body.end(), nullptr, /*allow_exceptions=*/false);
  const std::string text = raw_words(words, body);
  if (row.action == Action::deliver_partly) count_rejected(answer, text, body, line_count);
  answer.words = harmless(text, words.secrets);
  return answer;
}

}  // namespace virtmeter
