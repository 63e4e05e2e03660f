#include "daemon/process_guard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace virtmeter {
namespace {

// What is denied stays denied for the life of a process, so each test has one of its own.
TEST(ProcessGuardDeathTest, LeavesNoCore) {
  const auto checks = [] {
    leave_no_core();
    rlimit limit{1, 1};
    getrlimit(RLIMIT_CORE, &limit);
    _exit(prctl(PR_GET_DUMPABLE) == 0 && limit.rlim_max == 0 ? 7 : 1);
  };
  EXPECT_EXIT(checks(), testing::ExitedWithCode(7), "");
}

TEST(ProcessGuardDeathTest, ClosesNewFilesToOthers) {
  char folder[] = "/tmp/virtmeter-guard-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/file";
  const auto checks = [&] {
    umask(0);
    close_new_files_to_others();
    const int fd = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    struct stat status {};
    fstat(fd, &status);
    _exit((status.st_mode & 0777) == 0640 ? 7 : 1);
  };
  EXPECT_EXIT(checks(), testing::ExitedWithCode(7), "");
  std::filesystem::remove_all(folder);
}

TEST(ProcessGuard, HasNothingAgainstAnOrdinaryProcess) { EXPECT_TRUE(refuse_borrowed_rights()); }

}  // namespace
}  // namespace virtmeter
