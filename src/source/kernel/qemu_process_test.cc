#include "source/kernel/qemu_process.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include "source/kernel/test_kernel_files.h"

namespace virtmeter {
namespace {

class QemuProcessTest : public testing::Test {
 protected:
  QemuProcessTest() {
    files.add_process(50, "0123abcd-4567-89ef-fedc-ba9876543210", "web", {"CPU 0/KVM", "CPU 1/KVM"});
  }
  // As the finder finds it, started `age` ago.
  QemuProcess follow(std::chrono::seconds age = std::chrono::hours(1)) {
    FoundProcess found;
    found.folder = KernelFile(access, files.open_folder(KernelFiles::kNone, "/proc/50").handle);
    found.pid = 50;
    found.start_ticks = 4711;
    found.started = clock.boot_now() + -age;
    return QemuProcess(access, std::move(found), true);
  }
  bool read(QemuProcess& process) { return process.read({3, "/sys/fs/cgroup", clock}, reading); }

  TestKernelFiles files;
  FileBudget budget{100};
  KernelAccess access{files, budget};
  ManualClock clock;
  VmKernelReading reading;
};

TEST_F(QemuProcessTest, GivesTheReadingsOfAVm) {
  QemuProcess process = follow();
  ASSERT_TRUE(read(process));
  EXPECT_EQ(reading.read_at, clock.boot_now());
  EXPECT_EQ(reading.cpu->total_ns, 5'700'000'000u);
  EXPECT_EQ(reading.resident_kib, 1024u * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 1024);
  EXPECT_EQ(reading.minor_faults, 33u);
  EXPECT_EQ(reading.major_faults, 2u);
  EXPECT_EQ(reading.vcpu_count, 2u);
  EXPECT_EQ(reading.vcpus.size(), 2u);
}

TEST_F(QemuProcessTest, OpensNothingOnceItIsFollowed) {
  QemuProcess process = follow();
  ASSERT_TRUE(read(process));
  const std::size_t opens = files.opens;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(read(process));
  EXPECT_EQ(files.opens, opens);
}

TEST_F(QemuProcessTest, IsOverWhenTheProcessEnds) {
  QemuProcess process = follow();
  ASSERT_TRUE(read(process));
  files.end_process(50);
  EXPECT_FALSE(read(process));
}

TEST_F(QemuProcessTest, IsOverWhenNobodyHasAskedYetHowItEnded) {
  QemuProcess process = follow();
  files.set_stat(50, {.state = 'Z'});
  EXPECT_FALSE(read(process));
}

TEST_F(QemuProcessTest, AnotherProcessUnderItsNumberIsNotTakenForIt) {
  QemuProcess process = follow();
  ASSERT_TRUE(read(process));
  files.end_process(50);
  files.add_process(50, "0123abcd-4567-89ef-fedc-ba9876543210", "web");
  EXPECT_FALSE(read(process));
}

TEST_F(QemuProcessTest, AnotherStartTimeIsAnotherProcess) {
  QemuProcess process = follow();
  files.set_stat(50, {.start = "4712"});
  EXPECT_FALSE(read(process));
}

TEST_F(QemuProcessTest, AShortReadIsNotBelieved) {
  QemuProcess process = follow();
  files.read_bytes_max = 60;
  EXPECT_FALSE(read(process));
}

TEST_F(QemuProcessTest, IsFollowedIntoItsGroupWhileItIsYoung) {
  QemuProcess process = follow(std::chrono::seconds(1));
  ASSERT_TRUE(read(process));
  EXPECT_EQ(reading.cpu->total_ns, 5'700'000'000u);
  files.texts["/proc/50/cgroup"] = "0::/machine.slice/machine-qemu\\x2d3\\x2dweb.scope/libvirt/emulator\n";
  files.texts["/sys/fs/cgroup/machine.slice/machine-qemu\\x2d3\\x2dweb.scope/libvirt/cpu.stat"] =
      "usage_usec 7\nuser_usec 4\nsystem_usec 3\n";
  ASSERT_TRUE(read(process));
  EXPECT_EQ(reading.cpu->total_ns, 7000u);
}

}  // namespace
}  // namespace virtmeter
