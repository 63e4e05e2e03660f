#include "base/memory_file_system.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using Operation = MemoryFileSystem::Operation;

std::unique_ptr<File> made(MemoryFileSystem& files, const std::string& path) {
  EXPECT_TRUE(files.make_folder(path.substr(0, path.rfind('/'))));
  return std::move(files.open(path, OpenMode::create_new)).value();
}

TEST(MemoryFileSystem, BehavesLikeADisk) {
  MemoryFileSystem files;
  const auto file = made(files, "/d/a");
  ASSERT_TRUE(file->write_at("hello", 2));
  std::string bytes(10, '.');
  EXPECT_EQ(file->read_at(bytes, 3).value(), 4u);
  EXPECT_EQ(bytes, "ello......");
  EXPECT_FALSE(files.open("/d/a", OpenMode::create_new));
  EXPECT_EQ(files.open("/d/b", OpenMode::read).error().code, Errc::not_found);
  EXPECT_TRUE(files.rename("/d/a", "/d/b"));
  EXPECT_EQ(files.list("/d", 9).value().at(0).name, "b");
  EXPECT_TRUE(files.remove("/d/b"));
  EXPECT_TRUE(files.paths().empty());
}

TEST(MemoryFileSystem, FailsTheOperationNamed) {
  MemoryFileSystem files;
  const auto file = made(files, "/d/a");
  files.fail({.first = 1, .count = 1, .code = Errc::limit, .only = Operation::write});
  EXPECT_TRUE(file->write_at("a", 0));
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(file->write_at("bbbb", 1).error().code, Errc::limit);
  EXPECT_EQ(*files.bytes_of("/d/a"), "abb");
  EXPECT_TRUE(file->write_at("c", 1));
  files.fail({.first = 0, .count = UINT64_MAX});
  EXPECT_FALSE(file->write_at("c", 1));
  EXPECT_FALSE(file->sync());
  EXPECT_FALSE(files.list("/d", 9));
  files.heal();
  EXPECT_TRUE(file->sync());
}

TEST(MemoryFileSystem, PowerCutTakesWhatWasNotSynced) {
  MemoryFileSystem files;
  const auto kept = made(files, "/d/kept");
  const auto lost = made(files, "/d/lost");
  ASSERT_TRUE(kept->write_at("safe", 0));
  ASSERT_TRUE(kept->sync());
  ASSERT_TRUE(files.remove("/d/lost"));
  ASSERT_TRUE(files.sync_folder("/d"));
  ASSERT_TRUE(kept->write_at("gone", 4));
  const auto unnamed = made(files, "/d/unnamed");
  ASSERT_TRUE(unnamed->sync());
  files.cut_power();
  EXPECT_EQ(files.paths(), std::vector<std::string>{"/d/kept"});
  EXPECT_EQ(*files.bytes_of("/d/kept"), "safe");
}

TEST(MemoryFileSystem, HasACapacity) {
  MemoryFileSystem files;
  files.set_capacity(10);
  const auto file = made(files, "/d/a");
  EXPECT_TRUE(file->write_at("12345678", 0));
  EXPECT_EQ(file->write_at("1234", 8).error().code, Errc::limit);
  EXPECT_EQ(file->reserve(11).error().code, Errc::limit);
  EXPECT_EQ(files.space("/d").value().free_bytes, 0u);
}

TEST(MemoryFileSystem, ChangesNothingWhenFrozen) {
  MemoryFileSystem files;
  const auto file = made(files, "/d/a");
  files.freeze();
  EXPECT_TRUE(file->write_at("x", 0));
  EXPECT_TRUE(files.remove("/d/a"));
  EXPECT_EQ(*files.bytes_of("/d/a"), "");
  files.thaw();
  EXPECT_TRUE(file->write_at("x", 0));
  EXPECT_EQ(*files.bytes_of("/d/a"), "x");
}

TEST(MemoryFileSystem, LocksAFileUntilItIsClosed) {
  MemoryFileSystem files;
  auto first = made(files, "/d/lock");
  ASSERT_TRUE(first->lock());
  const auto second = std::move(files.open("/d/lock", OpenMode::read_or_create)).value();
  EXPECT_EQ(second->lock().error().code, Errc::unavailable);
  first.reset();
  EXPECT_TRUE(second->lock());
}

}  // namespace
}  // namespace virtmeter
