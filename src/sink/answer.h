// What a write request's answer means: one table of status and text, from the answers of real servers, says
// what to do with the batch. The server's words are input from outside: bounded and printed harmlessly. Pure.
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace virtmeter {

enum class Action : std::uint8_t {
  deliver,         // All is stored.
  deliver_partly,  // All is stored but the lines that the answer tells of.
  resend,          // The same bytes once more, now; the same answer again means split.
  resend_plain,    // The same lines once more, now and uncompressed; then as for a lost connection.
  retry,           // Later, the same bytes.
  suspect,         // As if the connection had been lost: retry, but the batch itself may be the cause.
  split,
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
  std::string_view cause;            // The row's name: the same for all answers of one kind.
  std::string_view clause;           // Follows the server's name in a message; may hold {database} and {org}.
  std::string_view fix;              // May hold them, too.
  std::string words;                 // The server's own, at most kWordsBytesMax printable bytes.
  std::uint64_t rejected_lines = 0;  // For deliver_partly: at least 1.
  std::optional<std::uint64_t>
      rejected_line;  // Index of one of them in the batch, where the answer says which.
};

inline constexpr std::size_t kWordsBytesMax = 300;

// `line_count` lines were sent.
Answer judge(const ServerWords& words, std::uint64_t line_count);

}  // namespace virtmeter
