#include "source/kernel/cpu_accounting.h"

#include <gtest/gtest.h>

#include "source/kernel/test_kernel_files.h"

namespace virtmeter {
namespace {

constexpr std::string_view kScope = "/machine.slice/machine-qemu\\x2d3\\x2dweb.scope/libvirt";

class CpuAccountingTest : public testing::Test {
 protected:
  CpuAccountingTest() {
    files.add_process(50, "0123abcd-4567-89ef-fedc-ba9876543210", "web");
    process = files.open_folder(KernelFiles::kNone, "/proc/50").handle;
  }
  void in_group(const std::string& text) { files.texts["/proc/50/cgroup"] = text; }
  std::optional<CpuTimes> read() {
    account.choose(access, process, 3, "/sys/fs/cgroup");
    ProcessStat stat;
    stat.user_ticks = 5;
    stat.system_ticks = 7;
    return account.read(access, stat);
  }

  TestKernelFiles files;
  FileBudget budget{100};
  KernelAccess access{files, budget};
  CpuAccounting account;
  KernelFiles::Handle process = KernelFiles::kNone;
};

TEST_F(CpuAccountingTest, IsTheProcessesWhereThereIsNoGroup) {
  const auto times = read();
  ASSERT_TRUE(times);
  EXPECT_EQ(times->user_ns, 50'000'000u);
  EXPECT_EQ(times->system_ns, 70'000'000u);
  EXPECT_EQ(times->total_ns, 120'000'000u);
}

TEST_F(CpuAccountingTest, IsTheGroupsWhereLibvirtMadeOne) {
  in_group("0::" + std::string(kScope) + "/emulator\n");
  files.texts["/sys/fs/cgroup" + std::string(kScope) + "/cpu.stat"] =
      "usage_usec 3\nuser_usec 2\nsystem_usec 1\n";
  const auto times = read();
  ASSERT_TRUE(times);
  EXPECT_EQ(times->total_ns, 3000u);
}

TEST_F(CpuAccountingTest, FindsTheUnifiedHierarchyBesideTheOthers) {
  in_group("0::" + std::string(kScope) + "/emulator\n");
  files.texts["/sys/fs/cgroup/unified" + std::string(kScope) + "/cpu.stat"] =
      "usage_usec 3\nuser_usec 2\nsystem_usec 1\n";
  EXPECT_TRUE(read());
}

TEST_F(CpuAccountingTest, ReadsBothFilesOfTheFirstVersion) {
  in_group("2:cpuacct:" + std::string(kScope) + "/emulator\n");
  const std::string folder = "/sys/fs/cgroup/cpuacct" + std::string(kScope);
  files.texts[folder + "/cpuacct.usage"] = "12345\n";
  EXPECT_FALSE(read());
  files.texts[folder + "/cpuacct.stat"] = "user 1\nsystem 2\n";
  const auto times = read();
  ASSERT_TRUE(times);
  EXPECT_EQ(times->total_ns, 12345u);
  EXPECT_EQ(times->system_ns, 20'000'000u);
}

TEST_F(CpuAccountingTest, IsLeftToLibvirtWhereTheGroupCannotBeSeen) {
  in_group("0::" + std::string(kScope) + "/emulator\n");
  EXPECT_FALSE(read());
  in_group("0::/machine.slice/machine-qemu\\x2d4\\x2dother.scope/libvirt\n");
  EXPECT_FALSE(read());
  files.troubles["/proc/50/cgroup"] = Trouble::permission;
  EXPECT_FALSE(read());
}

TEST_F(CpuAccountingTest, AGroupThatCouldNotBeOpenedIsTriedAgain) {
  in_group("0::" + std::string(kScope) + "/emulator\n");
  const std::string path = "/sys/fs/cgroup" + std::string(kScope) + "/cpu.stat";
  files.texts[path] = "usage_usec 3\nuser_usec 2\nsystem_usec 1\n";
  files.troubles[path] = Trouble::file_limit;
  EXPECT_FALSE(read());
  files.troubles.clear();
  EXPECT_TRUE(read());
}

TEST_F(CpuAccountingTest, AKernelWithoutGroupsHasTheProcessOnly) {
  files.texts.erase("/proc/50/cgroup");
  EXPECT_TRUE(read());
}

TEST_F(CpuAccountingTest, AGroupThatVanishesGivesNothing) {
  in_group("0::" + std::string(kScope) + "/emulator\n");
  const std::string path = "/sys/fs/cgroup" + std::string(kScope) + "/cpu.stat";
  files.texts[path] = "usage_usec 3\nuser_usec 2\nsystem_usec 1\n";
  ASSERT_TRUE(read());
  files.texts.erase(path);
  EXPECT_FALSE(read());
}

TEST_F(CpuAccountingTest, KeepsItsFilesWhileTheGroupStays) {
  in_group("0::" + std::string(kScope) + "/emulator\n");
  files.texts["/sys/fs/cgroup" + std::string(kScope) + "/cpu.stat"] =
      "usage_usec 3\nuser_usec 2\nsystem_usec 1\n";
  ASSERT_TRUE(read());
  const std::size_t open = files.open_now;
  ASSERT_TRUE(read());
  EXPECT_EQ(files.open_now, open);
  EXPECT_EQ(budget.used(), 1u);
}

}  // namespace
}  // namespace virtmeter
