#include "spool/cursor_file.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "spool/recovery.h"

namespace virtmeter {
namespace {

CursorSlot slot_of(std::uint64_t delivered) {
  CursorSlot slot;
  slot.end_line = slot.collected = slot.delivered = delivered;
  return slot;
}

TEST(CursorFile, SavesByTurns) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.make_folder("/d"));
  CursorFile cursor(files, "/d", "influx", 0);
  for (std::uint64_t delivered = 1; delivered < 5; ++delivered) {
    ASSERT_TRUE(cursor.save(slot_of(delivered)));
    EXPECT_EQ(read_cursor(files, "/d/influx.cursor").value().slot.delivered, delivered);
  }
  EXPECT_EQ(files.bytes_of("/d/influx.cursor")->size(), 2 * kCursorSlotBytes);
}

TEST(CursorFile, KeepsTheSlotBeforeWhenOneFails) {
  for (std::uint64_t at = 0; at < 4; ++at) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.make_folder("/d"));
    {
      CursorFile cursor(files, "/d", "influx", 0);
      ASSERT_TRUE(cursor.save(slot_of(1)));
      ASSERT_TRUE(cursor.save(slot_of(2)));
    }
    CursorFile cursor(files, "/d", "influx", 2);
    files.fail({.first = at, .count = 1});
    EXPECT_FALSE(cursor.save(slot_of(3))) << at;
    const auto read = read_cursor(files, "/d/influx.cursor");
    ASSERT_TRUE(read);
    EXPECT_GE(read.value().slot.delivered, 2u) << at;
    EXPECT_TRUE(cursor.save(slot_of(4)));
    EXPECT_EQ(read_cursor(files, "/d/influx.cursor").value().slot.delivered, 4u);
  }
}

}  // namespace
}  // namespace virtmeter
