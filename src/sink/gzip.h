// Gzip: one buffer at a time to gzip (RFC 1952), on libdeflate, keeping compressor and buffer between calls.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct libdeflate_compressor;

namespace virtmeter {

// Not thread-safe.
class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  // `bytes` as one gzip member; valid until the next call.
  std::string_view compress(std::string_view bytes);

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const;
  };
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
  std::string buffer_;
};

}  // namespace virtmeter
