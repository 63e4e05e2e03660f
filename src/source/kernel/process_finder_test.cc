#include "source/kernel/process_finder.h"

#include <gtest/gtest.h>

#include "source/kernel/test_kernel_files.h"

namespace virtmeter {
namespace {

const std::string kUuid = "0123abcd-4567-89ef-fedc-ba9876543210";
const std::string kOther = "99999999-4567-89ef-fedc-ba9876543210";

class ProcessFinderTest : public testing::Test {
 protected:
  Miss find(const std::string& uuid = kUuid, const std::string& name = "web") {
    VmLayout vm;
    vm.uuid = parse_uuid(uuid).value();
    vm.name = name;
    found = {};
    return finder.find(vm, found);
  }
  void next_cycle() {
    clock.advance(std::chrono::seconds(5));
    finder.begin_cycle();
  }

  TestKernelFiles files;
  FileBudget budget{100};
  KernelAccess access{files, budget};
  ManualClock clock;
  ProcessFinderOptions options;
  ProcessFinder finder{access, clock, options};
  FoundProcess found;
};

TEST_F(ProcessFinderTest, BelievesThePidFile) {
  files.add_process(50, kUuid, "web");
  files.texts["/run/libvirt/qemu/web.pid"] = "50";
  EXPECT_EQ(find(), Miss::none);
  EXPECT_EQ(found.pid, 50u);
  EXPECT_EQ(found.start_ticks, 4711u);
  EXPECT_EQ(finder.passes(), 0u);
}

TEST_F(ProcessFinderTest, DoesNotBelieveAPidFileThatNamesAnother) {
  files.add_process(50, kOther, "other");
  files.add_process(60, kUuid, "web");
  files.texts["/run/libvirt/qemu/web.pid"] = "50";
  EXPECT_EQ(find(), Miss::none);
  EXPECT_EQ(found.pid, 60u);
}

TEST_F(ProcessFinderTest, APidFileMayHoldAnything) {
  files.add_process(60, kUuid, "web");
  for (const std::string text : {"", "x", "-1", "0", "99999999999999", "60 60", "4294967356", "\n"}) {
    files.texts["/run/libvirt/qemu/web.pid"] = text;
    EXPECT_EQ(find(), Miss::none) << text;
    EXPECT_EQ(found.pid, 60u);
  }
}

TEST_F(ProcessFinderTest, ANameIsNoPath) {
  files.texts["/run/libvirt/secret.pid"] = "50";
  files.add_process(50, kUuid, "../secret");
  EXPECT_EQ(find(kUuid, "../secret"), Miss::none);
  EXPECT_EQ(finder.passes(), 1u);
}

TEST_F(ProcessFinderTest, OnePassServesAllThatAreMissing) {
  files.add_process(50, kUuid, "web");
  files.add_process(60, kOther, "db");
  EXPECT_EQ(find(), Miss::none);
  EXPECT_EQ(found.pid, 50u);
  EXPECT_EQ(find(kOther, "db"), Miss::none);
  EXPECT_EQ(found.pid, 60u);
  EXPECT_EQ(finder.passes(), 1u);
}

TEST_F(ProcessFinderTest, TheNextPassWaits) {
  EXPECT_EQ(find(), Miss::not_found);
  finder.begin_cycle();
  EXPECT_EQ(find(), Miss::later);
  next_cycle();
  EXPECT_EQ(find(), Miss::not_found);
  EXPECT_EQ(finder.passes(), 2u);
}

TEST_F(ProcessFinderTest, TheNameMustAgreeToo) {
  files.add_process(50, kUuid, "another");
  EXPECT_EQ(find(), Miss::not_found);
}

TEST_F(ProcessFinderTest, OfTwoThatClaimToBeItNeitherIsBelieved) {
  files.add_process(50, kUuid, "web");
  files.add_process(60, kUuid, "web");
  EXPECT_EQ(find(), Miss::ambiguous);
  EXPECT_FALSE(found.folder);
  // libvirt's own word decides.
  files.texts["/run/libvirt/qemu/web.pid"] = "60";
  EXPECT_EQ(find(), Miss::none);
  EXPECT_EQ(found.pid, 60u);
}

TEST_F(ProcessFinderTest, AChildThatIsNotYetAnotherProgramIsNotMeant) {
  files.add_process(50, kUuid, "web");
  files.add_process(60, kUuid, "web");
  files.set_stat(60, {.parent = 50});
  EXPECT_EQ(find(), Miss::none);
  EXPECT_EQ(found.pid, 50u);
}

TEST_F(ProcessFinderTest, AProcessThatHasEndedIsNotFound) {
  files.add_process(50, kUuid, "web");
  files.set_stat(50, {.state = 'Z'});
  EXPECT_EQ(find(), Miss::not_found);
  next_cycle();
  files.end_process(50);
  EXPECT_EQ(find(), Miss::not_found);
}

TEST_F(ProcessFinderTest, AProcessThatEndsWhileItIsLookedAtIsNotFound) {
  files.add_process(50, kUuid, "web");
  files.read_troubles["/proc/50/stat"] = Trouble::gone;
  files.texts["/run/libvirt/qemu/web.pid"] = "50";
  EXPECT_EQ(find(), Miss::not_found);
  EXPECT_EQ(files.open_now, 0u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(ProcessFinderTest, ACommandLineThatIsCutOffIsNotBelieved) {
  files.add_process(50, kUuid, "web");
  files.texts["/proc/50/cmdline"] = files.texts["/proc/50/cmdline"].substr(0, 90);
  EXPECT_EQ(find(), Miss::not_found);
}

TEST_F(ProcessFinderTest, SaysThatItMayNot) {
  files.add_process(50, kUuid, "web");
  files.troubles["/proc/50"] = Trouble::permission;
  EXPECT_EQ(find(), Miss::permission);
  next_cycle();
  files.troubles.clear();
  files.troubles["/proc/50/stat"] = Trouble::permission;
  files.texts["/run/libvirt/qemu/web.pid"] = "50";
  EXPECT_EQ(find(), Miss::not_found);
}

TEST_F(ProcessFinderTest, HasABoundOfFiles) {
  FileBudget none{0};
  KernelAccess poor{files, none};
  ProcessFinder another(poor, clock, options);
  files.add_process(50, kUuid, "web");
  VmLayout vm;
  vm.uuid = parse_uuid(kUuid).value();
  vm.name = "web";
  EXPECT_EQ(another.find(vm, found), Miss::file_limit);
}

}  // namespace
}  // namespace virtmeter
