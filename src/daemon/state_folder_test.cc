#include "daemon/state_folder.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

namespace virtmeter {
namespace {

TEST(StateFolder, IsMadeWithItsParents) {
  char folder[] = "/tmp/virtmeter-state-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/a/b";
  ASSERT_TRUE(prepare_state_folder(path));
  ASSERT_TRUE(prepare_state_folder(path)) << "again";
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0007u, 0u);
  EXPECT_GT(*free_bytes(path), 0u);
  EXPECT_TRUE(std::filesystem::is_empty(path)) << "the trial leaves nothing";
  std::filesystem::remove_all(folder);
}

TEST(StateFolder, CanBeProbedWithoutMakingIt) {
  char folder[] = "/tmp/virtmeter-state-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/a/b";
  EXPECT_TRUE(probe_state_folder(path));
  EXPECT_TRUE(free_bytes(path));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  EXPECT_FALSE(probe_state_folder("/dev/null/virtmeter"));
  std::filesystem::remove_all(folder);
}

TEST(StateFolder, NamesTheFolderThatCannotBe) {
  for (const std::string path : {"/proc/virtmeter", "/dev/null/virtmeter"}) {
    const Status status = prepare_state_folder(path);
    ASSERT_FALSE(status) << path;
    EXPECT_NE(status.error().message.find(path), std::string::npos) << status.error().message;
    EXPECT_FALSE(status.error().fix.empty());
  }
}

}  // namespace
}  // namespace virtmeter
