#include "sink/answer.h"

#include <algorithm>
#include <array>

namespace virtmeter {
namespace {

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
    "put a credential that may write \"{database}\" (InfluxDB 1.x: user:password) into the file that holds "
    "the "
    "token, which is read again by itself; or set influx_token, and restart virtmeter";
constexpr std::string_view kFixDatabase1 =
    "create it: influx -execute 'CREATE DATABASE \"{database}\" WITH DURATION 30d'";
constexpr std::string_view kFixBucket =
    "create it: influx bucket create -n \"{database}\" -r 30d; and check influx_org";
constexpr std::string_view kFixLarge =
    "raise the limit of the server, or of the proxy in front of it; virtmeter sends smaller requests until "
    "then";
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
    // No write API answers with a web page: a login page or a portal in between took the lines for itself.
    {200, 299, "<!DOCTYPE html", Action::stop_and_say, Errc::invalid, "web page", "answers with a web page", kFixUrl},
    {200, 299, "<!doctype html", Action::stop_and_say, Errc::invalid, "web page", "answers with a web page", kFixUrl},
    {200, 299, "<html", Action::stop_and_say, Errc::invalid, "web page", "answers with a web page", kFixUrl},
    {200, 299, "", Action::deliver, {}, "stored", "stored all lines", kNoFix},
    // InfluxDB Enterprise 1.x: the lines are queued for another node.
    {100, 599, "hinted handoff queue not empty", Action::deliver, {}, "stored", "stored all lines", kNoFix},

    {400, 422, "Adding a new database would exceed limit of", Action::stop_and_say, Errc::limit, "database limit", "allows no further database \"{database}\"", kFixLimit3},
    {400, 422, "Update to schema would exceed number of", Action::deliver_limited, Errc::limit, "schema limit", kRefusedLines, kFixLimit3},
    {400, 422, "partial write of line protocol occurred", Action::deliver_partly, Errc::invalid, "partial write", kRefusedLines, kFixLine},
    {400, 422, "points beyond retention policy", Action::deliver_expired, Errc::invalid, "older than the retention", kRefusedLines, kFixExpired},
    {400, 422, "points outside retention policy", Action::deliver_expired, Errc::invalid, "older than the retention", kRefusedLines, kFixExpired},
    {400, 422, "partial write: max-series-per-database limit exceeded", Action::deliver_limited, Errc::limit, "series limit", kRefusedLines, kFixLimit1},
    {400, 422, "partial write: max-values-per-tag limit exceeded", Action::deliver_limited, Errc::limit, "tag value limit", kRefusedLines, kFixLimit1},
    {400, 422, "partial write: field type conflict", Action::deliver_partly, Errc::invalid, "field type conflict", kRefusedLines, kFixType},
    {400, 422, "partial write:", Action::deliver_partly, Errc::invalid, "partial write", kRefusedLines, kFixLine},

    {400, 422, "field type conflict", Action::resend, Errc::invalid, "field type conflict", kRefusedRequest, kFixType},
    {400, 400, "unable to parse", Action::search, Errc::invalid, "unable to parse", kRefusedRequest, kFixLine},
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
    {400, 400, "Authorization header was malformed", Action::renew_credential, Errc::permission, "credential", "refused the credential", kFixCredential},
    {400, 400, "", Action::search, Errc::invalid, "bad request", kRefusedRequest, kFixLine},
    {422, 422, "", Action::search, Errc::invalid, "unprocessable", kRefusedRequest, kFixLine},

    {401, 401, "", Action::renew_credential, Errc::permission, "credential", "refused the credential", kFixCredential},
    {403, 403, "", Action::renew_credential, Errc::permission, "credential", "does not let this credential write \"{database}\"", kFixCredential},
    {404, 404, "database not found", Action::stop_and_say, Errc::not_found, "no such database", "has no database \"{database}\"", kFixDatabase1},
    {404, 404, "bucket", Action::stop_and_say, Errc::not_found, "no such bucket", "has no bucket \"{database}\"", kFixBucket},
    {404, 404, "organization", Action::stop_and_say, Errc::not_found, "no such organization", "has no organization \"{org}\"", "set influx_org to the organization's name"},
    {404, 404, "", Action::stop_and_say, Errc::invalid, "no such API", "has no such API", kFixUrl},
    {405, 405, "", Action::stop_and_say, Errc::invalid, "no such API", "takes no writes at this address", kFixUrl},
    {408, 408, "", Action::suspect, Errc::unavailable, "timeout", "did not get the request in time", kFixLater},
    {413, 413, "", Action::halve, Errc::limit, "too large", "finds the request too large", kFixLarge},
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

bool tells_of_lost_lines(Action action) {
  return action == Action::deliver_partly || action == Action::deliver_expired ||
         action == Action::deliver_limited;
}

}  // namespace

Answer judge(const ServerWords& words, std::uint64_t line_count) {
  const Row& row = find_row(words);
  Answer answer{row.action, row.kind, row.cause, row.clause, row.fix, {}, 0, {}, false};
  if (row.action == Action::deliver) return answer;
  SaidOfLines said = read_words(words.body, words.error_header, line_count);
  answer.words = harmless(said.words, words.secrets, kWordsBytesMax);
  if (!tells_of_lost_lines(row.action) && row.action != Action::search) return answer;
  for (NamedLine& line : said.named) line.words = harmless(line.words, words.secrets, kWordsBytesMax);
  answer.named = std::move(said.named);
  answer.names_all = said.names_all;
  // "Partial" means that at least one line is gone, and never are more gone than were sent.
  if (tells_of_lost_lines(row.action)) {
    answer.lost_lines =
        std::clamp<std::uint64_t>(said.lost_lines, std::min<std::uint64_t>(line_count, 1), line_count);
  }
  return answer;
}

}  // namespace virtmeter
