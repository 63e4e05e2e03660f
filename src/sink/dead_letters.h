// DeadLetters: the lines that a server will never store, with its words, as one JSON object a line in
// <folder>/<sink>.ndjson; when that has reached half of max_bytes it becomes .ndjson.1, replacing the one
// before. A letter that cannot be written is counted and costs nothing else. The delivery thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "sink/file_sink.h"

namespace virtmeter {

struct DeadLettersOptions {
  std::string folder;  // Created when the first letter is written. Empty: letters are dropped.
  std::string sink;    // Its name; also the file's.
  std::string target;  // Where the lines were to go, without a credential; until set_target().
  std::uint64_t max_bytes = 64u << 20;
};

struct DeadLetter {
  std::string_view cause;
  int status = 0;          // The server's; 0: it gave none.
  std::string_view words;  // Of the server, or of the error. Without secrets.
  std::uint64_t line_number = 0;
  std::string_view line;    // Empty: it is not known which line it is.
  std::uint64_t lines = 1;  // How many lines the letter stands for.
  std::string_view note;    // What else there is to say; may be empty.
};

struct DeadLetterCounts {
  std::uint64_t written = 0;
  std::uint64_t unwritten = 0;  // There is no folder, or it could not be written to.
};

class DeadLetters {
 public:
  // `clock` must outlive it.
  DeadLetters(DeadLettersOptions options, const Clock& clock);

  // A reload may put another sink in the place of the first. The file stays the same.
  void set_target(std::string sink, std::string target);

  void add(const DeadLetter& letter);

  // Writes what was added. The process may be killed before: then the lines are counted, but not shown.
  void flush();

  DeadLetterCounts counts() const { return counts_; }

 private:
  Status write();

  const DeadLettersOptions options_;
  const Clock& clock_;
  FileSink file_;
  std::string sink_;
  std::string target_;
  std::string pending_;
  std::uint64_t pending_letters_ = 0;
  DeadLetterCounts counts_;
  bool told_ = false;
};

}  // namespace virtmeter
