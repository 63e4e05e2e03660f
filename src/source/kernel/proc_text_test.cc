#include "source/kernel/proc_text.h"

#include <gtest/gtest.h>

#include "source/kernel/test_kernel_files.h"

namespace virtmeter {
namespace {

using namespace std::string_literals;

// Of a QEMU 7.2 with a Linux guest on kernel 6.18.
constexpr std::string_view kRecorded =
    "6436 (qemu-system-x86) S 6355 6435 6435 0 -1 138412416 17811 0 3 0 453 57 0 0 20 0 6 0 1515283 "
    "1657233408 53394 18446744073709551615 94314255839232 94314261699669 140722991433936 0 0 0 268444224 "
    "4096 "
    "16451 0 0 0 17 1 0 0 0 0 0 94314264811768 94314270015920 94314827128832 140722991441424 140722991443267 "
    "140722991443267 140722991443932 0\n";

TEST(ProcessStat, IsReadFromARecording) {
  const auto stat = parse_process_stat(kRecorded);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 6355u);
  EXPECT_EQ(stat->minor_faults, 17811u);
  EXPECT_EQ(stat->major_faults, 3u);
  EXPECT_EQ(stat->user_ticks, 453u);
  EXPECT_EQ(stat->system_ticks, 57u);
  EXPECT_EQ(stat->threads, 6u);
  EXPECT_EQ(stat->start_ticks, 1515283u);
  EXPECT_EQ(stat->resident_pages, 53394u);
}

TEST(ProcessStat, TheNameMayLookLikeTheRest) {
  for (const std::string name : {"a b", "a) S 1 2 3", ") Z (", "\n1 2 3", "(((", ""}) {
    TestKernelFiles::Stat wanted;
    wanted.comm = name;
    const auto stat = parse_process_stat(TestKernelFiles::stat_text(wanted));
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->state, 'S') << name;
    EXPECT_EQ(stat->start_ticks, 4711u) << name;
  }
}

TEST(ProcessStat, ATextThatIsCutOffGivesNothing) {
  const std::size_t needed = kRecorded.find("53394") + 5;
  for (std::size_t size = 0; size <= needed; ++size)
    EXPECT_FALSE(parse_process_stat(kRecorded.substr(0, size))) << size;
  EXPECT_TRUE(parse_process_stat(kRecorded.substr(0, needed + 1)));
}

TEST(ProcessStat, ANumberThatIsNoneGivesNothing) {
  for (const std::string wrong : {"99999999999999999999", "-1", "", "1x", "x"}) {
    TestKernelFiles::Stat stat;
    stat.user = wrong;
    EXPECT_FALSE(parse_process_stat(TestKernelFiles::stat_text(stat))) << wrong;
  }
}

TEST(ProcessStat, TicksAfterBootAreATime) {
  ProcessStat stat;
  stat.start_ticks = 250;  // Of 100 a second, on Linux.
  EXPECT_EQ(start_time(stat).since_boot, std::chrono::milliseconds(2500));
  stat.start_ticks = UINT64_MAX;
  EXPECT_GT(start_time(stat).since_boot, std::chrono::hours(1));
}

TEST(NextTurn, IsWithinThePeriodAndEachProcessHasItsOwn) {
  const BootTime now{std::chrono::hours(3)};
  const std::chrono::minutes period(5);
  for (std::uint32_t pid = 1; pid < 1'000; ++pid) {
    const BootTime next = next_turn(now, period, pid);
    EXPECT_GT(next, now);
    EXPECT_LE(next, now + period);
    EXPECT_EQ(next_turn(next, period, pid), next + period);
    EXPECT_NE(next, next_turn(now, period, pid + 1));
  }
  EXPECT_GT(next_turn(BootTime{}, period, 4'000'000), BootTime{});
}

TEST(Schedstat, IsTimeOnACpuAndInTheRunQueue) {
  const auto times = parse_schedstat("2237699163 176992892 5120\n");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->run_ns, 2237699163u);
  EXPECT_EQ(times->delay_ns, 176992892u);
}

TEST(Schedstat, OfAKernelWithoutSchedulerInformationIsNothing) { EXPECT_FALSE(parse_schedstat("0 0 0\n")); }

TEST(Schedstat, AnyOtherTextGivesNothing) {
  for (const std::string_view text :
       {"", "1", "1 2", "1 2 3", "1 2 3 ", "1 2 \n", "a b c\n", "99999999999999999999 1 1\n"})
    EXPECT_FALSE(parse_schedstat(text)) << text;
}

TEST(CpuStat, IsInMicroseconds) {
  const auto times = parse_cpu_stat("usage_usec 300\nuser_usec 200\nsystem_usec 100\nnr_periods 0\n");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->total_ns, 300'000u);
  EXPECT_EQ(times->user_ns, 200'000u);
  EXPECT_EQ(times->system_ns, 100'000u);
}

TEST(CpuStat, WithoutALineOrWithANumberTooLargeGivesNothing) {
  EXPECT_FALSE(parse_cpu_stat("usage_usec 300\nuser_usec 200\n"));
  EXPECT_FALSE(parse_cpu_stat("usage_usec 300\nuser_usec 200\nsystem_usec 100"));
  EXPECT_FALSE(parse_cpu_stat("usage_usec 18446744073709551615\nuser_usec 200\nsystem_usec 100\n"));
  EXPECT_FALSE(parse_cpu_stat("usage_usec x\nuser_usec 200\nsystem_usec 100\n"));
}

TEST(Cpuacct, IsInNanosecondsAndTicks) {
  const auto times = parse_cpuacct("1234567\n", "user 7\nsystem 8\n", 10'000'000);
  ASSERT_TRUE(times);
  EXPECT_EQ(times->total_ns, 1234567u);
  EXPECT_EQ(times->user_ns, 70'000'000u);
  EXPECT_EQ(times->system_ns, 80'000'000u);
}

TEST(Cpuacct, ATextThatIsCutOffGivesNothing) {
  EXPECT_FALSE(parse_cpuacct("1234567", "user 7\nsystem 8\n", 10));
  EXPECT_FALSE(parse_cpuacct("1234567\n", "user 7\nsystem 8", 10));
  EXPECT_FALSE(parse_cpuacct("", "", 10));
}

TEST(ThreadName, TellsTheVcpu) {
  EXPECT_EQ(vcpu_of_thread_name("CPU 0/KVM\n"), 0u);
  EXPECT_EQ(vcpu_of_thread_name("CPU 12/TCG\n"), 12u);
  EXPECT_EQ(vcpu_of_thread_name("CPU 254/KVM"), 254u);
}

TEST(ThreadName, OfAnyOtherThreadTellsNothing) {
  for (const std::string_view comm :
       {"", "CPU /KVM", "CPU 1/kvm", "CPU -1/KVM", "CPU 1", "CPU 1 /KVM", "XCPU 1/KVM", "CPU 99999999999/KVM",
        "ALL CPUs/TCG", "IO mon_iothread", "worker", "CPU/KVM"})
    EXPECT_FALSE(vcpu_of_thread_name(comm)) << comm;
  EXPECT_TRUE(is_shared_vcpu_thread("ALL CPUs/TCG\n"));
  EXPECT_FALSE(is_shared_vcpu_thread("CPU 0/TCG\n"));
}

TEST(ParseUuid, IsTheInverseOfText) {
  const std::string text = "0123abcd-4567-89ef-fedc-ba9876543210";
  const auto uuid = parse_uuid(text);
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->text(), text);
  EXPECT_EQ(parse_uuid("0123ABCD-4567-89EF-FEDC-BA9876543210"), uuid);
  for (const std::string_view wrong :
       {"", "0123abcd-4567-89ef-fedc-ba987654321", "0123abcdx4567-89ef-fedc-ba9876543210",
        "0123abcd-4567-89ef-fedc-ba987654321g", "0123abcd-4567-89ef-fedc-ba98765432100"})
    EXPECT_FALSE(parse_uuid(wrong)) << wrong;
}

TEST(CommandLine, ItsFirstUuidCounts) {
  const std::string mine = "0123abcd-4567-89ef-fedc-ba9876543210";
  const std::string other = "99999999-4567-89ef-fedc-ba9876543210";
  EXPECT_EQ(uuid_of_command_line(TestKernelFiles::words({"qemu", "-uuid", mine, "-append", "-uuid", other}))
                ->text(),
            mine);
  EXPECT_FALSE(uuid_of_command_line(TestKernelFiles::words({"qemu", "-uuid"})));
  EXPECT_FALSE(uuid_of_command_line(TestKernelFiles::words({"qemu", "-uuid", "x", "-uuid", mine})));
  EXPECT_FALSE(uuid_of_command_line(TestKernelFiles::words({"qemu", "-uuid " + mine})));
  EXPECT_FALSE(uuid_of_command_line("-uuid\0"s + mine));  // Cut off: the word has no end.
  EXPECT_FALSE(uuid_of_command_line(""));
}

TEST(CommandLine, NamesAGuestWithDoubledCommas) {
  const auto names = [](const std::string& word, const std::string& name) {
    return command_line_names(TestKernelFiles::words({"qemu", "-name", word}), name);
  };
  EXPECT_TRUE(names("guest=web,debug-threads=on", "web"));
  EXPECT_TRUE(names("guest=web", "web"));
  EXPECT_TRUE(names("guest=a,,b=c,debug-threads=on", "a,b=c"));
  EXPECT_TRUE(names("guest=a,,,debug-threads=on", "a,"));
  EXPECT_FALSE(names("guest=a,,b,debug-threads=on", "a"));
  EXPECT_FALSE(names("guest=webber,debug-threads=on", "web"));
  EXPECT_FALSE(names("guest=we,debug-threads=on", "web"));
  EXPECT_FALSE(names("web", "web"));
  EXPECT_FALSE(command_line_names("", "web"));
}

}  // namespace
}  // namespace virtmeter
