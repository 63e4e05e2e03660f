// FileSink: appends line protocol to a file. When it has reached half of max_bytes it becomes <path>.1,
// replacing the one before, so that both together stay under max_bytes. A line is in the file whole or not at
// all: what a full disk or a crash has torn is cut away. Written lines are the kernel's; they survive the
// process, not a power cut.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sink/sink.h"

namespace virtmeter {

struct FileOptions {
  std::string path;
  std::uint64_t max_bytes = 256u << 20;
};

// The delivery thread only, but for name(), target() and cancel(), which are thread-safe.
class FileSink final : public Sink {
 public:
  static constexpr std::uint64_t kMaxBytesMin = 4096;

  // Fails on settings that no disk could satisfy; does not open the file.
  static Result<std::unique_ptr<Sink>> open(FileOptions options);

  explicit FileSink(FileOptions options) : options_(std::move(options)) {}
  ~FileSink() override { close(); }
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  std::string_view name() const override { return "file"; }
  std::string target() const override;
  SendResult send(const Batch& batch) override;
  Status check() override;

 private:
  std::uint64_t half() const { return options_.max_bytes / 2; }
  Status ensure_open();
  Status open_file();
  Status cut_torn_line();
  Status rotate();
  Status append(std::string_view bytes);
  Error failure(std::string_view operation, int error_number) const;
  bool was_replaced() const;
  void close();

  const FileOptions options_;
  int fd_ = -1;
  std::uint64_t size_bytes_ = 0;  // Of the whole lines that are in the file.
  bool torn_ = false;             // A failed write has left more there, which could not be cut away yet.
};

}  // namespace virtmeter
