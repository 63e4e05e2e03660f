#include "sink/gzip.h"

#include <gtest/gtest.h>
#include <libdeflate.h>

namespace virtmeter {
namespace {

std::string inflated(std::string_view gzip, std::size_t size) {
  std::string out(size, '\0');
  libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
  const libdeflate_result result =
      libdeflate_gzip_decompress(decompressor, gzip.data(), gzip.size(), out.data(), out.size(), nullptr);
  libdeflate_free_decompressor(decompressor);
  return result == LIBDEFLATE_SUCCESS ? out : "not gzip";
}

TEST(Gzip, GivesBackWhatWasPutIn) {
  Gzip gzip;
  std::string lines;
  for (int i = 0; i < 1000; ++i)
    lines += "vm_metrics,name=vm" + std::to_string(i) + " cpu_count=4i 1700000000000000000\n";
  for (const std::string& text : {lines, std::string("x"), std::string()}) {
    EXPECT_EQ(inflated(gzip.compress(text), text.size()), text);
  }
  EXPECT_LT(gzip.compress(lines).size(), lines.size() / 4);
}

}  // namespace
}  // namespace virtmeter
