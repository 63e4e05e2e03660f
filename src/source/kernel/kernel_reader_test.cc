#include "source/kernel/kernel_reader.h"

#include <gtest/gtest.h>

#include "source/kernel/test_kernel_files.h"
#include "source/kernel/test_links.h"

namespace virtmeter {
namespace {

const std::string kUuid = "0123abcd-4567-89ef-fedc-ba9876543210";
const std::string kOther = "99999999-4567-89ef-fedc-ba9876543210";

VmSample sample_of(const std::string& uuid, int id, const std::string& name, std::vector<std::string> nics) {
  auto layout = std::make_shared<VmLayout>();
  layout->uuid = parse_uuid(uuid).value();
  layout->uuid_text = uuid;
  layout->domain_id = id;
  layout->name = name;
  layout->nics = std::move(nics);
  VmSample sample;
  begin_sample(sample, layout);
  return sample;
}

class KernelReaderTest : public testing::Test {
 protected:
  KernelReaderTest() {
    files.inodes["/proc/self/net/dev"] = 1000;
    files.add_process(50, kUuid, "web", {"CPU 0/KVM", "CPU 1/KVM"});
    links.interfaces = {{2, "vnet0", "tun", 200}, {3, "macvtap0", "macvtap", 300}, {4, "veth0", "veth", 400}};
  }
  static KernelReaderOptions options() {
    KernelReaderOptions options;
    options.files_max = 100;
    return options;
  }
  // One cycle with this VM alone.
  FastCoverage cycle(VmSample& sample) {
    clock.advance(std::chrono::seconds(5));
    reader.begin_cycle();
    begin_sample(sample, sample.layout);
    const FastCoverage covered = reader.read(sample);
    reader.end_cycle();
    return covered;
  }

  TestKernelFiles files;
  TestLinkPort links;
  ManualClock clock;
  KernelReader reader{options(), files, links, clock};
  VmSample web = sample_of(kUuid, 3, "web", {"vnet0", "macvtap0"});
};

TEST_F(KernelReaderTest, CoversAVm) {
  const FastCoverage covered = cycle(web);
  EXPECT_TRUE(covered.cpu_time && covered.resident && covered.cpu_count && covered.nics);
  EXPECT_EQ(web.values.integer(metric_id("vm_metrics.cputime_ns")), 5'700'000'000);
  EXPECT_EQ(web.values.integer(metric_id("vm_totals.timeusr")), 5'000'000'000);
  EXPECT_EQ(web.values.integer(metric_id("vm_totals.timesys")), 700'000'000);
  EXPECT_EQ(web.values.integer(metric_id("vm_metrics.cpu_count")), 2);
  EXPECT_TRUE(web.values.has(metric_id("vm_totals.memrss")));
  EXPECT_EQ(web.nics[0].integer(metric_id("nic.rxbytes")), 204);
  EXPECT_EQ(web.nics[1].integer(metric_id("nic.rxbytes")), 303);
  EXPECT_EQ(web.read_at, clock.boot_now());
}

TEST_F(KernelReaderTest, SetsOnlyWhatItCovers) {
  cycle(web);
  EXPECT_FALSE(web.values.has(metric_id("vm_totals.state")));
  EXPECT_FALSE(web.values.has(metric_id("vm_totals.memavailable")));
  EXPECT_FALSE(web.values.has(metric_id("vm_totals.cputime")));
}

TEST_F(KernelReaderTest, TellsMoreThanTheMetrics) {
  const Uuid uuid = web.layout->uuid;
  EXPECT_EQ(reader.reading(uuid), nullptr);
  cycle(web);
  const VmKernelReading* reading = reader.reading(uuid);
  ASSERT_NE(reading, nullptr);
  EXPECT_EQ(reading->vcpus.size(), 2u);
  reader.begin_cycle();
  EXPECT_EQ(reader.reading(uuid), nullptr);
}

TEST_F(KernelReaderTest, LeavesAVmWithoutAProcessAlone) {
  VmSample other = sample_of(kOther, 4, "other", {});
  const FastCoverage covered = cycle(other);
  EXPECT_FALSE(covered.cpu_time || covered.resident || covered.cpu_count || covered.nics);
  EXPECT_FALSE(other.values.has(metric_id("vm_totals.memrss")));
  EXPECT_EQ(other.read_at, BootTime{});
  EXPECT_EQ(reader.status().vms_not_found, 1u);
}

TEST_F(KernelReaderTest, LooksForAMissingVmMoreAndMoreSeldom) {
  VmSample other = sample_of(kOther, 4, "other", {});
  for (int i = 0; i < 120; ++i) cycle(other);  // 10 minutes.
  EXPECT_GE(reader.status().process_passes, 5u);
  EXPECT_LE(reader.status().process_passes, 12u);
  files.add_process(60, kOther, "other");
  for (int i = 0; i < 61; ++i) cycle(other);
  EXPECT_TRUE(cycle(other).cpu_time);
}

TEST_F(KernelReaderTest, TwoVmsNeverShareAProcess) {
  VmSample impostor = sample_of(kOther, 4, "web", {});
  files.texts["/run/libvirt/qemu/web.pid"] = "50";
  reader.begin_cycle();
  EXPECT_TRUE(reader.read(web).cpu_time);
  EXPECT_FALSE(reader.read(impostor).cpu_time);
}

TEST_F(KernelReaderTest, ANewLifeIsANewProcess) {
  ASSERT_TRUE(cycle(web).cpu_time);
  files.end_process(50);
  files.add_process(50, kUuid, "web");
  files.set_stat(50, {.user = "1", .system = "2", .start = "9999"});
  VmSample again = sample_of(kUuid, 5, "web", {});
  ASSERT_TRUE(cycle(again).cpu_time);
  EXPECT_EQ(again.values.integer(metric_id("vm_metrics.cputime_ns")), 30'000'000);
}

TEST_F(KernelReaderTest, AProcessThatEndsLeavesItsVmToLibvirtAndIsLookedForAgain) {
  ASSERT_TRUE(cycle(web).cpu_time);
  files.end_process(50);
  EXPECT_FALSE(cycle(web).cpu_time);
  EXPECT_FALSE(web.values.has(metric_id("vm_metrics.cputime_ns")));
  EXPECT_EQ(reader.reading(web.layout->uuid), nullptr);
  files.add_process(51, kUuid, "web");
  EXPECT_TRUE(cycle(web).cpu_time);
}

TEST_F(KernelReaderTest, ForgetsVmsThatAreGoneAndClosesTheirFiles) {
  cycle(web);
  EXPECT_GT(files.open_now, 0u);
  reader.begin_cycle();
  reader.end_cycle();
  EXPECT_EQ(files.open_now, 0u);
  EXPECT_EQ(reader.status().vms_followed, 0u);
}

TEST_F(KernelReaderTest, ANicOfAnUnknownKindLeavesAllToLibvirt) {
  VmSample odd = sample_of(kUuid, 3, "web", {"vnet0", "veth0"});
  EXPECT_FALSE(cycle(odd).nics);
  EXPECT_FALSE(odd.nics[0].has(metric_id("nic.rxbytes")));
  EXPECT_EQ(reader.status().nics_left, 1u);
}

TEST_F(KernelReaderTest, ANicThatIsNotHereLeavesAllToLibvirt) {
  VmSample odd = sample_of(kUuid, 3, "web", {"vnet0", "vnet7"});
  EXPECT_FALSE(cycle(odd).nics);
}

TEST_F(KernelReaderTest, AVmWithoutNicsIsCovered) {
  VmSample none = sample_of(kUuid, 3, "web", {});
  EXPECT_TRUE(cycle(none).nics);
}

TEST_F(KernelReaderTest, UnknownDevicesAreNotCovered) {
  auto layout = std::make_shared<VmLayout>(*web.layout);
  layout->nics.clear();
  layout->devices_known = false;
  VmSample unknown;
  begin_sample(unknown, layout);
  EXPECT_FALSE(cycle(unknown).nics);
}

TEST_F(KernelReaderTest, NicsOfAnotherNetworkNamespaceAreNotOurs) {
  files.inodes["/proc/50/net/dev"] = 1001;
  const FastCoverage covered = cycle(web);
  EXPECT_FALSE(covered.nics);
  EXPECT_TRUE(covered.cpu_time);
  EXPECT_EQ(reader.status().foreign_networks, 1u);
}

TEST_F(KernelReaderTest, WithoutThatKnowledgeNicsAreLeftToLibvirt) {
  files.inodes.erase("/proc/50/net/dev");
  EXPECT_FALSE(cycle(web).nics);
  files.inodes.clear();
  KernelReader blind(options(), files, links, clock);
  blind.begin_cycle();
  EXPECT_FALSE(blind.read(web).nics);
}

TEST_F(KernelReaderTest, WithoutNetlinkTheRestIsCovered) {
  links.may_ask = false;
  const FastCoverage covered = cycle(web);
  EXPECT_FALSE(covered.nics);
  EXPECT_TRUE(covered.cpu_time && covered.resident && covered.cpu_count);
}

TEST_F(KernelReaderTest, ForeignCpuGroupLeavesOnlyTheTimeToLibvirt) {
  files.texts["/proc/50/cgroup"] = "0::/machine.slice/machine-qemu\\x2d8\\x2dx.scope/libvirt\n";
  const FastCoverage covered = cycle(web);
  EXPECT_FALSE(covered.cpu_time);
  EXPECT_TRUE(covered.resident);
  EXPECT_FALSE(web.values.has(metric_id("vm_totals.timeusr")));
  EXPECT_EQ(reader.status().cpu_time_left, 1u);
}

TEST_F(KernelReaderTest, CountsWhatItMayNotRead) {
  files.troubles["/proc/50"] = Trouble::permission;
  EXPECT_FALSE(cycle(web).cpu_time);
  EXPECT_EQ(reader.status().vms_refused, 1u);
}

TEST_F(KernelReaderTest, WorksWhenFewFilesMayBeOpen) {
  KernelReaderOptions few = options();
  few.files_max = 2;
  KernelReader poor(few, files, links, clock);
  poor.begin_cycle();
  const FastCoverage covered = poor.read(web);
  EXPECT_TRUE(covered.cpu_time && covered.cpu_count);
  EXPECT_EQ(poor.status().files_open, 1u);
}

TEST(KernelReader, ReadsThisHost) {
  SystemClock clock;
  const auto reader = KernelReader::of_this_host(clock);
  VmSample sample = sample_of(kUuid, 3, "no such VM", {});
  reader->begin_cycle();
  EXPECT_FALSE(reader->read(sample).cpu_time);
  reader->end_cycle();
  EXPECT_EQ(reader->status().vms_not_found, 1u);
  EXPECT_EQ(reader->status().failed_dumps, 0u);
}

}  // namespace
}  // namespace virtmeter
