#include "spool/record_codec.h"

#include <gtest/gtest.h>

#include <string>

namespace virtmeter {
namespace {

RecordEncoder::Lines lines_of(std::string_view bytes, std::uint64_t count) {
  return {bytes, count, 40, WallTime{7}};
}

TEST(RecordCodec, ReadsWhatItWrote) {
  RecordEncoder encoder;
  RecordDecoder decoder;
  const auto check = [&](const std::string& text, std::uint64_t count, Codec codec) {
    std::string record = "12345678";
    encoder.append(lines_of(text, count), record);
    ASSERT_EQ(record.size() % kRecordAlignment, 0u);
    const std::string_view bytes = std::string_view(record).substr(8);
    const auto header = decode_record_header(bytes);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->codec, codec);
    EXPECT_EQ(header->size(), bytes.size());
    EXPECT_EQ(header->first_line, 40u);
    EXPECT_EQ(header->time_ns, 7);
    std::string read;
    ASSERT_TRUE(decoder.decode(*header, bytes.substr(kRecordHeaderBytes), read));
    EXPECT_EQ(read, text);
  };
  check("a v=1\n", 1, Codec::raw);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "vm_totals,name=web value=1i\n";
  check(many, 1000, Codec::zstd);
}

TEST(RecordCodec, RefusesWhatTheHeaderDoesNotSay) {
  RecordEncoder encoder;
  RecordDecoder decoder;
  std::string record;
  encoder.append(lines_of("a v=1\nb v=1\n", 2), record);
  const RecordHeader good = *decode_record_header(record);
  const std::string_view payload = std::string_view(record).substr(kRecordHeaderBytes);
  std::string read;
  ASSERT_TRUE(decoder.decode(good, payload, read));
  RecordHeader header = good;
  header.line_count = 3;
  EXPECT_FALSE(decoder.decode(header, payload, read));
  header = good;
  header.raw_bytes += 1;
  EXPECT_FALSE(decoder.decode(header, payload, read));
  header = good;
  header.codec = Codec::zstd;
  EXPECT_FALSE(decoder.decode(header, payload, read));
  header = good;
  header.payload_crc ^= 1;
  EXPECT_FALSE(decoder.decode(header, payload, read));
  EXPECT_FALSE(decoder.decode(good, payload.substr(0, 3), read));
  EXPECT_EQ(read, "");
}

}  // namespace
}  // namespace virtmeter
