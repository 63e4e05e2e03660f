#include "config/small_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "config/testing.h"

namespace virtmeter {
namespace {

using config_testing::TempFolder;

TEST(SmallFile, ReadsTheWholeFileAndItsMode) {
  const TempFolder folder;
  const auto file = read_small_file(folder.write("a", std::string(40'000, 'x'), 0604), 40'000);
  ASSERT_TRUE(file);
  EXPECT_EQ(file.value().text, std::string(40'000, 'x'));
  EXPECT_EQ(file.value().mode & 0777, 0604u);
  EXPECT_TRUE(file.value().is_open_to_others());
}

TEST(SmallFile, RefusesInWordsWithoutThePath) {
  const TempFolder folder;
  const auto check = [](const std::string& path, std::size_t limit, Errc code, std::string_view message) {
    const auto file = read_small_file(path, limit);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, code);
    EXPECT_EQ(file.error().message, message);
  };
  const std::string file = folder.write("a", "12345");
  check(folder / "none", 9, Errc::not_found, "cannot be opened: no such file or directory");
  check(file + "/below", 9, Errc::not_found, "cannot be opened: not a directory");
  check(folder.path(), 9, Errc::invalid, "is a folder");
  check(file, 4, Errc::limit, "is larger than 4 bytes");
  check("/dev/zero", 4, Errc::limit, "is larger than 4 bytes");
}

// As root every file may be read: another user is borrowed for the moment.
class OtherUser {
 public:
  OtherUser() : was_root_(::geteuid() == 0) {
    if (was_root_) become(65534);
  }
  ~OtherUser() {
    if (was_root_) become(0);
  }
  OtherUser(const OtherUser&) = delete;
  OtherUser& operator=(const OtherUser&) = delete;

 private:
  static void become(uid_t user) { EXPECT_EQ(::seteuid(user), 0); }

  bool was_root_;
};

TEST(SmallFile, SaysWhenItMayNotBeRead) {
  const TempFolder folder;
  const std::string path = folder.write("a", "x", 0000);
  const OtherUser other;
  const auto file = read_small_file(path, 9);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Errc::permission);
  EXPECT_EQ(file.error().message, "cannot be opened: permission denied");
  EXPECT_EQ(file.error().fix, "let this user read it (chown or chmod)");
}

TEST(ErrnoClause, BeginsSmall) { EXPECT_EQ(errno_clause(EACCES), "permission denied"); }

}  // namespace
}  // namespace virtmeter
