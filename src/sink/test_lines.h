// What several tests of this folder share: numbered lines, and what a request carried. For tests only.
#pragma once

#include <libdeflate.h>

#include <cstdint>
#include <string>

#include "base/check.h"
#include "net/test_server.h"
#include "spool/batch.h"

namespace virtmeter {

// "vm_totals,name=vm7 cpus=4i,net_rxbytes=7i 1700000000007000000\n", like the encoder's.
inline std::string test_line(int number) {
  const std::string n = std::to_string(number);
  return "vm_totals,name=vm" + n + " cpus=4i,net_rxbytes=" + n + "i " +
         std::to_string(1'700'000'000'000 + number) + "000000\n";
}

inline std::string test_lines(int first, int count) {
  std::string lines;
  for (int i = first; i < first + count; ++i) lines += test_line(i);
  return lines;
}

inline Batch batch_of(std::string_view lines, std::uint64_t line_count, std::uint64_t first_line = 0) {
  return {lines, line_count, first_line};
}

// The lines of a request, inflated where it says gzip.
inline std::string lines_of(const TestRequest& request) {
  if (request.header("content-encoding") != "gzip") return request.body;
  // RFC 1952: the last four bytes are the inflated size, least significant first.
  CHECK(request.body.size() > 18);
  std::uint32_t size = 0;
  for (int i = 1; i <= 4; ++i) size = (size << 8) | static_cast<unsigned char>(*(request.body.end() - i));
  std::string out(size, '\0');
  libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
  const libdeflate_result result = libdeflate_gzip_decompress(
      decompressor, request.body.data(), request.body.size(), out.data(), out.size(), nullptr);
  libdeflate_free_decompressor(decompressor);
  CHECK(result == LIBDEFLATE_SUCCESS);
  return out;
}

inline bool is_write(const TestRequest& request) { return request.method == "POST"; }

// All lines of all requests that `server` took for good, in order.
inline std::string lines_written(TestServer& server) {
  std::string lines;
  for (const TestRequest& request : server.requests()) {
    if (is_write(request)) lines += lines_of(request);
  }
  return lines;
}

}  // namespace virtmeter
