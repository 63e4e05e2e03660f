#include "source/kernel/vcpu_threads.h"

#include <gtest/gtest.h>

#include "source/kernel/test_kernel_files.h"

namespace virtmeter {
namespace {

constexpr std::uint32_t kPid = 50;

class VcpuThreadsTest : public testing::Test {
 protected:
  void start(const std::vector<std::string>& names) {
    files.add_process(kPid, "0123abcd-4567-89ef-fedc-ba9876543210", "web", names);
    process = files.open_folder(KernelFiles::kNone, "/proc/50").handle;
  }
  void read(std::uint64_t thread_count = 3) {
    threads.read(access, {process, kPid, thread_count, clock.boot_now()}, vcpus);
    clock.advance(std::chrono::seconds(1));
  }
  void remove_thread(std::uint32_t tid) {
    for (const char* file : {"comm", "schedstat", "stat"})
      files.texts.erase("/proc/50/task/" + std::to_string(tid) + "/" + file);
  }
  std::vector<std::uint32_t> numbers() const {
    std::vector<std::uint32_t> all;
    for (const VcpuTimes& vcpu : vcpus) all.push_back(vcpu.vcpu);
    return all;
  }
  using Numbers = std::vector<std::uint32_t>;

  TestKernelFiles files;
  FileBudget budget{100};
  KernelAccess access{files, budget};
  ManualClock clock;
  VcpuThreads threads;
  std::vector<VcpuTimes> vcpus;
  KernelFiles::Handle process = KernelFiles::kNone;
};

TEST_F(VcpuThreadsTest, AreFoundByName) {
  start({"worker", "CPU 1/KVM", "IO mon_iothread", "CPU 0/KVM"});
  read();
  EXPECT_EQ(threads.count(), 2u);
  ASSERT_EQ(numbers(), Numbers({0, 1}));
  EXPECT_EQ(vcpus[0].times->run_ns, 54'000u);
  EXPECT_EQ(vcpus[0].times->delay_ns, 54u);
}

TEST_F(VcpuThreadsTest, AreReadFromFilesKeptOpen) {
  start({"CPU 0/KVM", "CPU 1/KVM"});
  read();
  const std::size_t opens = files.opens;
  for (int i = 0; i < 10; ++i) read();
  EXPECT_EQ(files.opens, opens);
}

TEST_F(VcpuThreadsTest, ANewOneIsSeenByTheNumberOfThreads) {
  start({"CPU 0/KVM"});
  read(2);
  files.add_thread(kPid, 70, "CPU 1/KVM");
  read(3);
  EXPECT_EQ(threads.count(), 2u);
}

TEST_F(VcpuThreadsTest, OnlyANewThreadIsAskedForItsName) {
  start({"CPU 0/KVM"});
  read(2);
  const std::size_t opens = files.opens;
  files.add_thread(kPid, 70, "worker");
  read(3);
  EXPECT_EQ(files.opens, opens + 3);  // The folder of threads, its name, and the name of the first one.
}

TEST_F(VcpuThreadsTest, AnUnpluggedOneLeavesAGap) {
  start({"CPU 0/KVM", "CPU 1/KVM", "CPU 2/KVM"});
  read(4);
  remove_thread(52);
  read(4);
  EXPECT_FALSE(threads.count());
  EXPECT_FALSE(vcpus[1].times);
  read(4);
  EXPECT_EQ(threads.count(), 2u);
  EXPECT_EQ(numbers(), Numbers({0, 2}));
}

TEST_F(VcpuThreadsTest, ThatCannotBeToldApartAreNotCounted) {
  start({"ALL CPUs/TCG"});
  read();
  EXPECT_FALSE(threads.count());
  EXPECT_TRUE(vcpus.empty());
}

TEST_F(VcpuThreadsTest, TwoOfOneNumberAreNotBelieved) {
  start({"CPU 0/KVM", "CPU 0/KVM"});
  read();
  EXPECT_FALSE(threads.count());
}

TEST_F(VcpuThreadsTest, WithoutNamesThereIsNoCount) {
  start({"qemu-system-x86", "qemu-system-x86"});
  read();
  EXPECT_FALSE(threads.count());
}

TEST_F(VcpuThreadsTest, AYoungThreadWithItsMakersNameMayBecomeOne) {
  start({"CPU 0/KVM"});
  read();
  ASSERT_EQ(threads.count(), 1u);
  files.add_thread(kPid, 70, "qemu-system-x86");
  TestKernelFiles::Stat stat;
  stat.start = std::to_string(
      std::chrono::seconds(clock.boot_now().since_boot / std::chrono::seconds(1)).count() * 100);
  files.texts["/proc/50/task/70/stat"] = TestKernelFiles::stat_text(stat);
  read(4);
  EXPECT_FALSE(threads.count());
  files.texts["/proc/50/task/70/comm"] = "CPU 1/KVM\n";
  read(4);
  EXPECT_EQ(threads.count(), 2u);
}

TEST_F(VcpuThreadsTest, AnOldThreadWithItsMakersNameIsNone) {
  start({"CPU 0/KVM", "qemu-system-x86"});
  read();
  EXPECT_EQ(threads.count(), 1u);
}

TEST_F(VcpuThreadsTest, AChangeThatNothingTellsOfIsSeenWithinMinutes) {
  start({"CPU 0/KVM", "worker"});
  read();
  clock.advance(VcpuThreads::kLookAgain);
  read();
  files.texts["/proc/50/task/52/comm"] = "CPU 1/KVM\n";
  read();
  EXPECT_EQ(threads.count(), 1u);
  clock.advance(VcpuThreads::kLookAgain);
  read();
  EXPECT_EQ(threads.count(), 2u);
}

TEST_F(VcpuThreadsTest, OfAProcessThatHasEndedAreNone) {
  start({"CPU 0/KVM"});
  read(2);
  files.end_process(kPid);
  read(2);
  read(2);
  EXPECT_FALSE(threads.count());
}

TEST_F(VcpuThreadsTest, OneThatCannotBeReadIsAbsent) {
  start({"CPU 0/KVM", "CPU 1/KVM"});
  files.troubles["/proc/50/task/51/schedstat"] = Trouble::permission;
  read();
  EXPECT_EQ(threads.count(), 2u);
  EXPECT_FALSE(vcpus[0].times);
  EXPECT_TRUE(vcpus[1].times);
}

}  // namespace
}  // namespace virtmeter
