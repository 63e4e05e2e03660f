#include "spool/batch.h"

namespace virtmeter {

std::size_t end_of_lines(std::string_view bytes, std::uint64_t line_count) {
  std::size_t end = 0;
  for (; line_count > 0; --line_count) {
    const std::size_t newline = bytes.find('\n', end);
    if (newline == std::string_view::npos) return bytes.size();
    end = newline + 1;
  }
  return end;
}

std::uint64_t copy_lines(std::string_view bytes, std::uint64_t line_count, std::size_t bytes_max,
                         std::string& out) {
  std::size_t end = 0;
  std::uint64_t lines = 0;
  while (lines < line_count) {
    const std::size_t newline = bytes.find('\n', end);
    if (newline == std::string_view::npos || newline + 1 > bytes_max) break;
    end = newline + 1;
    ++lines;
  }
  out.append(bytes.substr(0, end));
  return lines;
}

Batch first_lines(const Batch& batch, std::uint64_t line_count) {
  if (line_count >= batch.line_count) return batch;
  return {batch.bytes.substr(0, end_of_lines(batch.bytes, line_count)), line_count, batch.first_line};
}

std::string_view line_at(const Batch& batch, std::uint64_t index) {
  if (index >= batch.line_count) return {};
  const std::string_view from = batch.bytes.substr(end_of_lines(batch.bytes, index));
  return from.substr(0, from.find('\n'));
}

}  // namespace virtmeter
