// What a write request's answer means: one table of status and text, from the answers of real servers, says
// what to do with the batch. The server's words are input from outside: bounded and printed harmlessly. Pure.
// Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sink/answer_words.h"

namespace virtmeter {

enum class Action : std::uint8_t {
  deliver,           // All is stored.
  deliver_partly,    // All is stored but bad lines; the answer may name them.
  deliver_expired,   // All is stored but lines older than the database keeps them.
  deliver_limited,   // All is stored but lines that would pass one of the server's limits.
  resend,            // The same bytes once more, now; the same answer again means search.
  resend_plain,      // The same lines once more, now and uncompressed; then as for a lost connection.
  renew_credential,  // Read the credential again; one that is new is tried at once, else stop_and_say.
  retry,             // Later, the same bytes.
  suspect,           // As if the connection had been lost: retry, but the batch itself may be the cause.
  search,            // Nothing is stored, because of a bad line; the answer may name it.
  halve,             // Too large.
  stop_and_say,
};

// The answer as the table sees it.
struct ServerWords {
  int status = 0;
  std::string_view body;
  std::string_view error_header;         // X-Influxdb-Error.
  std::span<const std::string> secrets;  // Never shown, though a server may repeat them.
};

struct Answer {
  Action action = Action::retry;
  Errc kind = Errc::unavailable;
  std::string_view cause;   // The row's name: the same for all answers of one kind.
  std::string_view clause;  // Follows the server's name in a message; may hold {database} and {org}.
  std::string_view fix;     // May hold them, too.
  std::string words;        // The server's own, at most kWordsBytesMax printable bytes.
  std::uint64_t lost_lines =
      0;  // For the three deliver_...: at least 1, as far as the answer can be trusted.
  // For these, and for search: the lines that the answer names, in order.
  std::vector<NamedLine> named;
  bool names_all = false;  // `named` are all that are lost.
};

inline constexpr std::size_t kWordsBytesMax = 300;

// `line_count` lines were sent.
Answer judge(const ServerWords& words, std::uint64_t line_count);

}  // namespace virtmeter
