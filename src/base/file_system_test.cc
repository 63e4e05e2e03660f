#include "base/file_system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace virtmeter {
namespace {

class SystemFiles : public testing::Test {
 protected:
  SystemFiles() {
    std::string pattern = testing::TempDir() + "virtmeter-files-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~SystemFiles() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  static mode_t mode_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  FileSystem& files_ = system_files();
  std::string folder_;
};

TEST_F(SystemFiles, ReadsWhatWasWritten) {
  auto file = files_.open(path("a"), OpenMode::create_new);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file.value()->write_at("hello", 0));
  ASSERT_TRUE(file.value()->write_at("J", 0));
  ASSERT_TRUE(file.value()->sync());
  std::string bytes(10, '.');
  EXPECT_EQ(file.value()->read_at(bytes, 1).value(), 4u);
  EXPECT_EQ(bytes, "ello......");
  EXPECT_EQ(file.value()->size().value(), 5u);
}

TEST_F(SystemFiles, KeepsOthersOut) {
  ASSERT_TRUE(files_.open(path("a"), OpenMode::create_new));
  ASSERT_TRUE(files_.make_folder(path("f")));
  EXPECT_EQ(mode_of(path("a")) & 0137, 0u);
  EXPECT_EQ(mode_of(path("f")) & 0027, 0u);
}

TEST_F(SystemFiles, MakesAFolderOnce) {
  EXPECT_TRUE(files_.make_folder(path("f")));
  EXPECT_TRUE(files_.make_folder(path("f")));
  ASSERT_TRUE(files_.open(path("a"), OpenMode::create_new));
  EXPECT_FALSE(files_.make_folder(path("a")));
}

TEST_F(SystemFiles, TellsErrorsApart) {
  EXPECT_EQ(files_.open(path("none"), OpenMode::read).error().code, Errc::not_found);
  ASSERT_TRUE(files_.open(path("a"), OpenMode::create_new));
  EXPECT_EQ(files_.open(path("a"), OpenMode::create_new).error().code, Errc::io);
  EXPECT_EQ(files_.list(path("none"), 9).error().code, Errc::not_found);
  EXPECT_EQ(files_.remove(path("none")).error().message,
            "remove " + path("none") + ": No such file or directory");
  auto full = files_.open("/dev/full", OpenMode::read_or_create);
  ASSERT_TRUE(full);
  EXPECT_EQ(full.value()->write_at("x", 0).error().code, Errc::limit);
}

TEST_F(SystemFiles, FollowsNoLink) {
  ASSERT_TRUE(files_.open(path("a"), OpenMode::create_new));
  ASSERT_EQ(::symlink(path("a").c_str(), path("link").c_str()), 0);
  EXPECT_FALSE(files_.open(path("link"), OpenMode::read));
}

TEST_F(SystemFiles, ListsWithoutDots) {
  auto file = files_.open(path("a"), OpenMode::create_new);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file.value()->write_at("123", 0));
  ASSERT_TRUE(files_.make_folder(path("f")));
  auto entries = files_.list(folder_, 10).value();
  std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.name < b.name; });
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[0].size, 3u);
  EXPECT_TRUE(entries[0].regular);
  EXPECT_FALSE(entries[1].regular);
  EXPECT_EQ(files_.list(folder_, 1).value().size(), 1u);
}

TEST_F(SystemFiles, RenamesRemovesAndSyncs) {
  ASSERT_TRUE(files_.open(path("a"), OpenMode::create_new));
  EXPECT_TRUE(files_.rename(path("a"), path("b")));
  EXPECT_TRUE(files_.sync_folder(folder_));
  EXPECT_TRUE(files_.remove(path("b")));
  EXPECT_TRUE(files_.list(folder_, 10).value().empty());
}

TEST_F(SystemFiles, ReservingKeepsTheSize) {
  auto file = files_.open(path("a"), OpenMode::create_new);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file.value()->write_at("hello", 0));
  EXPECT_TRUE(file.value()->reserve(1 << 20));
  EXPECT_EQ(file.value()->size().value(), 5u);
  EXPECT_TRUE(file.value()->release_reserved());
  EXPECT_EQ(file.value()->size().value(), 5u);
  struct stat status {};
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_LT(status.st_blocks * 512, 1 << 20);
}

TEST_F(SystemFiles, LockHoldsUntilTheFileIsClosed) {
  auto first = files_.open(path("lock"), OpenMode::read_or_create);
  ASSERT_TRUE(first);
  ASSERT_TRUE(first.value()->lock());
  auto second = files_.open(path("lock"), OpenMode::read_or_create);
  ASSERT_TRUE(second);
  EXPECT_EQ(second.value()->lock().error().code, Errc::unavailable);
  first.value().reset();
  EXPECT_TRUE(second.value()->lock());
}

TEST_F(SystemFiles, KnowsTheSpace) {
  const auto space = files_.space(folder_);
  ASSERT_TRUE(space);
  EXPECT_GT(space.value().total_bytes, 0u);
  EXPECT_LE(space.value().free_bytes, space.value().total_bytes);
}

}  // namespace
}  // namespace virtmeter
