// Sink: one service that takes line protocol. It sends one batch and says what became of it; when to send
// again, what to split and what to give up is the delivery loop's business (delivery.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "spool/batch.h"

namespace virtmeter {

// What the delivery loop does next with the batch.
enum class Verdict : std::uint8_t {
  delivered,     // Stored, but for rejected_lines of it: done.
  retry,         // Not now: the same bytes again, after a while.
  split,         // Too large, or a bad line inside: in halves. A single line that is to be split is rejected.
  reject,        // Can never be stored: drop it, count it, say the server's words.
  stop_and_say,  // Nothing gets through until somebody acts (credential, missing database): keep all, retry
                 // slowly.
};

// What one send() has cost, failed attempts included.
struct SendCost {
  std::uint64_t requests = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t wire_bytes = 0;  // After compression, without HTTP's headers.
};

struct SendResult {
  Verdict verdict = Verdict::delivered;
  std::uint64_t rejected_lines = 0;  // With delivered: lines of the batch that the server refused.
  std::optional<std::uint64_t>
      rejected_line;  // Index in the batch of one of them, where the server says which.
  std::optional<std::chrono::seconds> retry_after;
  std::string_view
      cause;    // Static text that is the same for all lines refused for one reason; for rate limits.
  Error error;  // What happened and what to do, for a person; empty when all is well.
  SendCost cost;
};

// The delivery thread only, but for name(), target() and cancel(), which are thread-safe.
class Sink {
 public:
  virtual ~Sink() = default;

  virtual std::string_view name() const = 0;

  // Where the lines go, for messages: never holds a credential.
  virtual std::string target() const = 0;

  virtual SendResult send(const Batch& batch) = 0;

  // Whether a send() would work now: reachable, credential accepted, database there. Stores nothing. The
  // error carries the fix.
  virtual Status check() = 0;

  // Ends a send() or check() under way, and every later one, at once.
  virtual void cancel() {}
};

}  // namespace virtmeter
