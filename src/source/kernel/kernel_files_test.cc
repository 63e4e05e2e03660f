#include "source/kernel/kernel_files.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "source/kernel/proc_text.h"
#include "source/kernel/test_kernel_files.h"

namespace virtmeter {
namespace {

TEST(SystemKernelFiles, ReadsOurOwnProcess) {
  SystemKernelFiles files;
  const auto folder = files.open_folder(KernelFiles::kNone, "/proc/self");
  ASSERT_EQ(folder.trouble, Trouble::none);
  std::array<char, 4096> buffer;
  Trouble trouble = Trouble::other;
  const auto stat = parse_process_stat(read_text(files, folder.handle, "stat", buffer, trouble));
  EXPECT_EQ(trouble, Trouble::none);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, static_cast<std::uint32_t>(getppid()));
  EXPECT_TRUE(files.inode(folder.handle, "net/dev"));
  files.close(folder.handle);
}

TEST(SystemKernelFiles, ListsProcessesEachTime) {
  SystemKernelFiles files;
  const auto folder = files.open_folder(KernelFiles::kNone, "/proc");
  std::vector<std::uint32_t> pids;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(files.list_numbers(folder.handle, pids), Trouble::none);
    EXPECT_NE(std::find(pids.begin(), pids.end(), static_cast<std::uint32_t>(getpid())), pids.end());
  }
  files.close(folder.handle);
}

TEST(SystemKernelFiles, SayWhyNot) {
  SystemKernelFiles files;
  EXPECT_EQ(files.open(KernelFiles::kNone, "/proc/no-such-file").trouble, Trouble::gone);
  EXPECT_EQ(files.open_folder(KernelFiles::kNone, "/proc/self/stat").trouble, Trouble::gone);
  EXPECT_FALSE(files.inode(KernelFiles::kNone, "/proc/no-such-file"));
}

TEST(SystemKernelFiles, WhatWasOpenedEndsWithItsProcess) {
  SystemKernelFiles files;
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const std::string path = "/proc/" + std::to_string(child);
  const auto folder = files.open_folder(KernelFiles::kNone, path.c_str());
  const auto stat = files.open(folder.handle, "stat");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  std::array<char, 4096> buffer;
  EXPECT_EQ(files.read(stat.handle, buffer).trouble, Trouble::gone);
  EXPECT_EQ(files.open(folder.handle, "stat").trouble, Trouble::gone);
  files.close(stat.handle);
  files.close(folder.handle);
}

TEST(RaiseFileLimit, LeavesRoomForTheRest) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const std::size_t ours = raise_file_limit();
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  EXPECT_GT(ours, 0u);
  EXPECT_LT(ours, after.rlim_cur);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

class KeptFile : public testing::Test {
 protected:
  std::string_view read(KernelFile& kept) {
    return read_kept(access, kept, KernelFiles::kNone, "/proc/5/stat", buffer, trouble);
  }

  TestKernelFiles files;
  FileBudget budget{4};
  KernelAccess access{files, budget};
  std::array<char, 64> buffer{};
  Trouble trouble = Trouble::none;
};

TEST_F(KeptFile, IsOpenedOnce) {
  files.texts["/proc/5/stat"] = "one";
  KernelFile kept;
  EXPECT_EQ(read(kept), "one");
  files.texts["/proc/5/stat"] = "two";
  EXPECT_EQ(read(kept), "two");
  EXPECT_EQ(files.opens, 1u);
}

TEST_F(KeptFile, PastTheBudgetIsOpenedEachTime) {
  files.texts["/proc/5/stat"] = "one";
  std::array<KernelFile, 4> kept;
  for (KernelFile& file : kept) EXPECT_EQ(read(file), "one");
  EXPECT_EQ(files.open_now, 3u);
  EXPECT_FALSE(kept[3]);
  EXPECT_TRUE(budget.folder_fits());
  kept[0].reset();
  EXPECT_EQ(read(kept[3]), "one");
  EXPECT_TRUE(kept[3]);
}

TEST_F(KeptFile, GivesItsPlaceBack) {
  files.texts["/proc/5/stat"] = "one";
  {
    KernelFile kept;
    read(kept);
    KernelFile moved = std::move(kept);
    kept = KernelFile();
    EXPECT_EQ(budget.used(), 1u);
    KernelFile& itself = moved;
    moved = std::move(itself);
    EXPECT_TRUE(moved);
  }
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(files.open_now, 0u);
}

TEST_F(KeptFile, SaysWhyItCannotBeRead) {
  KernelFile kept;
  EXPECT_EQ(read(kept), "");
  EXPECT_EQ(trouble, Trouble::gone);
  files.texts["/proc/5/stat"] = "one";
  files.read_troubles["/proc/5/stat"] = Trouble::gone;
  EXPECT_EQ(read(kept), "");
  EXPECT_EQ(trouble, Trouble::gone);
  files.troubles["/proc/5/stat"] = Trouble::permission;
  kept.reset();
  EXPECT_EQ(read(kept), "");
  EXPECT_EQ(trouble, Trouble::permission);
}

}  // namespace
}  // namespace virtmeter
