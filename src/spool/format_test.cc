#include "spool/format.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"

namespace virtmeter {
namespace {

TEST(SpoolFormat, ReadsTheSegmentHeaderThatItWrote) {
  const std::string bytes = encode(SegmentHeader{7, 4096, 1'700'000'000'000'000'000, 99});
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  EXPECT_EQ(bytes.substr(0, 8), "VMSPOOL\n");
  SegmentHeader read;
  ASSERT_EQ(decode(bytes, read), HeaderState::good);
  EXPECT_EQ(read.ordinal, 7u);
  EXPECT_EQ(read.first_line, 4096u);
  EXPECT_EQ(read.created_wall_ns, 1'700'000'000'000'000'000);
  EXPECT_EQ(read.created_boot_ns, 99);
}

TEST(SpoolFormat, TellsANewerVersionFromDamage) {
  std::string bytes = encode(SegmentHeader{});
  SegmentHeader read;
  bytes[8] = 2;
  EXPECT_EQ(decode(bytes, read), HeaderState::damaged);
  const std::uint32_t crc = crc32c(std::string_view(bytes).substr(0, 60));
  bytes.replace(60, 4, reinterpret_cast<const char*>(&crc), 4);
  EXPECT_EQ(decode(bytes, read), HeaderState::newer);
  EXPECT_EQ(decode(bytes.substr(0, 63), read), HeaderState::damaged);
}

TEST(SpoolFormat, NamesSegmentsInTheOrderOfTheirLines) {
  EXPECT_EQ(segment_name(255, 3), "00000000000000ff-00000003.seg");
  EXPECT_LT(segment_name(255, 9), segment_name(256, 1));
  const auto name = parse_segment_name("00000000000000ff-00000003.seg");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->first_line, 255u);
  EXPECT_EQ(name->ordinal, 3u);
  for (const char* wrong : {"", "x.seg", "00000000000000FF-00000003.seg", "00000000000000ff-00000003.seg2",
                            "00000000000000ff_00000003.seg", "ffffffffffffffff-00000003.seg"}) {
    EXPECT_FALSE(parse_segment_name(wrong)) << wrong;
  }
}

RecordHeader some_record() {
  RecordHeader header;
  header.codec = Codec::zstd;
  header.payload_crc = 0x12345678;
  header.stored_bytes = 100;
  header.raw_bytes = 300;
  header.line_count = 5;
  header.first_line = 1000;
  header.time_ns = -1;
  return header;
}

TEST(SpoolFormat, ReadsTheRecordHeaderThatItWrote) {
  std::string bytes(kRecordHeaderBytes, 'x');
  encode(some_record(), bytes.data());
  EXPECT_EQ(bytes.substr(0, 4), "RPVK");
  const auto read = decode_record_header(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->codec, Codec::zstd);
  EXPECT_EQ(read->type, RecordType::lines);
  EXPECT_EQ(read->payload_crc, 0x12345678u);
  EXPECT_EQ(read->stored_bytes, 100u);
  EXPECT_EQ(read->raw_bytes, 300u);
  EXPECT_EQ(read->end_line(), 1005u);
  EXPECT_EQ(read->time_ns, -1);
  EXPECT_EQ(read->size(), 152u);
  EXPECT_FALSE(decode_record_header(bytes.substr(0, 47)));
}

TEST(SpoolFormat, RefusesARecordHeaderWithAnyBitFlipped) {
  std::string bytes(kRecordHeaderBytes, 'x');
  encode(some_record(), bytes.data());
  for (std::size_t bit = 0; bit < kRecordHeaderBytes * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(decode_record_header(damaged)) << bit;
  }
}

TEST(SpoolFormat, RefusesARecordHeaderBeyondItsBounds) {
  const auto refused = [](RecordHeader header) {
    std::string bytes(kRecordHeaderBytes, 'x');
    encode(header, bytes.data());
    return !decode_record_header(bytes);
  };
  RecordHeader header = some_record();
  EXPECT_FALSE(refused(header));
  header.line_count = 0;
  EXPECT_TRUE(refused(header));
  header = some_record();
  header.line_count = 301;
  EXPECT_TRUE(refused(header));
  header = some_record();
  header.raw_bytes = SpoolOptions::kBatchBytesMax + 1;
  EXPECT_TRUE(refused(header));
  header = some_record();
  header.stored_bytes = SpoolOptions::kBatchBytesMax + 1;
  EXPECT_TRUE(refused(header));
  header = some_record();
  header.first_line = kLineNumberMax + 1;
  EXPECT_TRUE(refused(header));
  header = some_record();
  header.codec = static_cast<Codec>(2);
  EXPECT_TRUE(refused(header));
}

TEST(SpoolFormat, ReadsTheSealThatItWrote) {
  std::string bytes = encode(Seal{10, 2000, 5, 6}, 77);
  ASSERT_EQ(bytes.size(), kSealBytes);
  const auto header = decode_record_header(bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->first_line, 77u);
  const auto seal = decode_seal(*header, std::string_view(bytes).substr(kRecordHeaderBytes));
  ASSERT_TRUE(seal);
  EXPECT_EQ(seal->line_count, 10u);
  EXPECT_EQ(seal->time_max_ns, 6);
  bytes[kRecordHeaderBytes] ^= 1;
  EXPECT_FALSE(decode_seal(*header, std::string_view(bytes).substr(kRecordHeaderBytes)));
}

CursorSlot some_slot() {
  CursorSlot slot;
  slot.version = 9;
  slot.end_line = 200;
  slot.collected = 200;
  slot.delivered = 147;
  slot.resent = 4;
  slot.dropped[DropReason::evicted] = 3;
  slot.dropped[DropReason::shutdown] = 2;
  slot.pending = {{10, 20, 2}, {160, 200, 0}};
  return slot;
}

TEST(SpoolFormat, ReadsTheCursorThatItWrote) {
  const std::string bytes = encode(some_slot());
  ASSERT_EQ(bytes.size(), kCursorSlotBytes);
  CursorSlot read;
  ASSERT_EQ(decode(bytes, read), HeaderState::good);
  EXPECT_EQ(read.version, 9u);
  EXPECT_EQ(read.delivered, 147u);
  EXPECT_EQ(read.resent, 4u);
  EXPECT_EQ(read.dropped, some_slot().dropped);
  EXPECT_EQ(read.pending, some_slot().pending);
}

TEST(SpoolFormat, RefusesACursorWhoseNumbersDoNotAddUp) {
  const auto check = [](const CursorSlot& slot) {
    CursorSlot read;
    EXPECT_EQ(decode(encode(slot), read), HeaderState::damaged);
  };
  CursorSlot slot = some_slot();
  slot.delivered = 148;
  check(slot);
  slot = some_slot();
  slot.pending = {{160, 200, 0}, {10, 20, 2}};
  check(slot);
  slot = some_slot();
  slot.pending[0].counted = 11;
  check(slot);
  slot = some_slot();
  slot.end_line = 199;
  check(slot);
  slot = some_slot();
  slot.dropped[DropReason::memory] = UINT64_MAX;
  slot.dropped[DropReason::corrupt] = 1;
  check(slot);
  std::string cut = encode(some_slot());
  cut.resize(100);
  CursorSlot read;
  EXPECT_EQ(decode(cut, read), HeaderState::damaged);
}

TEST(SpoolFormat, ReaderNamesBecomeFileNamesAndComeBack) {
  for (const std::string reader : {"influx", "a/b", "../x", "%", "", "\n\x7f\xff"}) {
    const std::string name = cursor_name(reader);
    EXPECT_EQ(name.find('/'), std::string::npos);
    EXPECT_NE(name[0], name == ".cursor" ? '\0' : '.');
    EXPECT_EQ(reader_of_cursor_name(name), reader);
  }
  EXPECT_EQ(cursor_name("influx"), "influx.cursor");
  EXPECT_EQ(cursor_name("a/b"), "a%2fb.cursor");
  EXPECT_FALSE(reader_of_cursor_name("notes.txt"));
  EXPECT_FALSE(reader_of_cursor_name("a%2.cursor"));
  EXPECT_FALSE(reader_of_cursor_name("a b.cursor"));
}

}  // namespace
}  // namespace virtmeter
