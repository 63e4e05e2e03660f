// Sink: one service that takes line protocol. It sends one batch and says what became of it; when to send
// again, what to split and what to give up is the delivery loop's business (delivery.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spool/batch.h"

namespace virtmeter {

// What has become of the batch. Each but `delivered` means: send it again, whole or in parts.
enum class Verdict : std::uint8_t {
  delivered,     // Stored, but for lost_lines of it: done.
  partly,        // Stored but for some bad lines, and it is not known which: to be found in parts of it.
  refused,       // Not stored, because of a bad line inside: to be found in parts of it.
  halve,         // Not stored, and not to be sent whole again: too large, or it kills the server.
  retry,         // Not now: the same bytes again, after a while.
  stop_and_say,  // Nothing gets through until somebody acts (credential, missing database): keep all, retry
                 // slowly.
};

// Why lines of a batch that was taken are not stored.
enum class Loss : std::uint8_t {
  rejected,  // The server can never store them.
  expired,   // They are older than what the server keeps.
  limited,   // The server is at a limit of its own (series, values of a tag, columns).
};

// A line of the batch that the server says something of.
struct NamedLine {
  std::uint64_t index = 0;  // In the batch, from 0.
  std::string words;        // Bounded, printable, without secrets.
};

// What one send() has cost, failed attempts included.
struct SendCost {
  std::uint64_t requests = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t wire_bytes = 0;  // After compression, without HTTP's headers.
};

struct SendResult {
  Verdict verdict = Verdict::delivered;
  // With delivered and partly: how many lines of the batch are not stored, by the server's word, and why.
  std::uint64_t lost_lines = 0;
  Loss loss = Loss::rejected;
  // Lines that the server blames, in order. With delivered they are lost; with partly and refused they are
  // only suspected, and tried alone first.
  std::vector<NamedLine> named;
  std::optional<std::chrono::seconds> retry_after;
  // The server is another process than the one that took the last lines, and that one may not have kept what
  // it took within its last seconds: hand those out again.
  bool replay = false;
  std::string_view
      cause;          // Static text that is the same for all lines refused for one reason; for rate limits.
  Error error;        // What happened and what to do, for a person; empty when all is well.
  std::string words;  // The server's own; bounded, printable, without secrets.
  int status = 0;     // The server's, where it answered.
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
