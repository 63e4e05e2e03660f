#include "source/replay/recording.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using std::chrono::seconds;

const std::string kTags = ",name=web,uuid=11111111-2222-3333-4444-555555555555";
const std::string kTime1 = " 1700000000000000000\n";
const std::string kTime2 = " 1700000005000000000\n";

std::string metrics(const std::string& fields, const std::string& time) {
  return "vm_metrics,VMID=1" + kTags + " " + fields + time;
}
std::string nic(const std::string& device, const std::string& fields, const std::string& time) {
  return "vm_devices,VMID=1,device=" + device + ",devtype=nic" + kTags + " " + fields + time;
}

constexpr MetricId kCpuTime = metric_id("vm_metrics.cputime_ns");
constexpr MetricId kMemory = metric_id("vm_metrics.memory_used_kb");
constexpr MetricId kRxBytes = metric_id("nic.rxbytes");

TEST(Recording, HoldsWhatWasReadInEachCycle) {
  const auto recording = parse_recording(
      "# words\n\n" + metrics("state=\"running\",cputime_ns=5i,memory_used_kb=9i", kTime1) +
      nic("vnet0", "rxbytes=10i", kTime1) + metrics("cputime_ns=7i,memory_used_kb=8i", kTime2) +
      nic("vnet0", "rxbytes=30i", kTime2));
  ASSERT_TRUE(recording) << recording.error().message;
  EXPECT_EQ(recording->length(), seconds(5));
  ASSERT_EQ(recording->vms.size(), 1u);
  const VmTrack& vm = recording->vms[0];
  EXPECT_EQ(vm.name, "web");
  EXPECT_EQ(vm.uuid.text(), "11111111-2222-3333-4444-555555555555");
  EXPECT_EQ(vm.vm.frames[0].integer(kCpuTime), 5);
  EXPECT_EQ(vm.vm.frames[1].integer(kMemory), 8);
  ASSERT_EQ(vm.nics.size(), 1u);
  EXPECT_EQ(vm.nics[0].device, "vnet0");
  EXPECT_EQ(vm.nics[0].frames[1].integer(kRxBytes), 30);
  EXPECT_TRUE(vm.disks.empty());
}

TEST(Recording, PassesOverWhatIsDerived) {
  const auto recording =
      parse_recording(metrics("cputime_ns=5i", kTime1) + "vm_features,VMID=1" + kTags +
                      " memory_rate_kb_per_sec=0.5" + kTime1 + "vm_totals,VMID=1" + kTags +
                      " net_rxbytes=5i,cputime=5i" + kTime2 + "collector_latency loop_latency_ms=1" + kTime2);
  ASSERT_TRUE(recording) << recording.error().message;
  EXPECT_FALSE(recording->vms[0].vm.frames[1].has(metric_id("vm_totals.net_rxbytes")));
  EXPECT_FALSE(recording->vms[0].vm.frames[1].has(metric_id("vm_totals.cputime")));
}

TEST(Recording, SaysWhatWasNotRecorded) {
  const auto recording = parse_recording(metrics("cputime_ns=5i,memory_used_kb=4i", kTime1) +
                                         metrics("memory_used_kb=4i", kTime2));
  ASSERT_TRUE(recording);
  const auto& frames = recording->vms[0].vm.frames;
  EXPECT_EQ(frames[1].absence(kCpuTime), Absence::not_reported);
  EXPECT_EQ(frames[1].integer_or_remainder(kCpuTime), 5) << "what it had counted before";
  EXPECT_EQ(frames[0].absence(metric_id("vm_totals.memusable")), Absence::unsupported);
}

TEST(Recording, CountsOnOverARestart) {
  const std::string time3 = " 1700000010000000000\n";
  const auto recording = parse_recording(metrics("cputime_ns=50i", kTime1) +
                                         metrics("cputime_ns=3i", kTime2) + metrics("cputime_ns=13i", time3));
  ASSERT_TRUE(recording);
  const auto& frames = recording->vms[0].vm.frames;
  EXPECT_EQ(frames[1].integer(kCpuTime), 50);
  EXPECT_EQ(frames[2].integer(kCpuTime), 60);
}

TEST(Recording, SaysInWhichLineWhatIsWrong) {
  const std::string good = metrics("cputime_ns=5i", kTime1);
  const auto check = [](const std::string& text, const std::string& message) {
    const auto recording = parse_recording(text);
    ASSERT_FALSE(recording) << text;
    EXPECT_EQ(recording.error().message, message);
    EXPECT_NE(recording.error().fix.find("virtmeter once"), std::string::npos);
  };
  check("", "there is no VM in it");
  check(good, "there is one cycle in it, and counters move between two");
  check(good + "# x\nvm_metrics,VMID=1 \n", "line 3: column 19: expected a field key");
  check(good + metrics("cputime_ns=5", kTime2),
        "line 2: cputime_ns is no whole number of 0 or more, as 5i is");
  check(good + metrics("cputime_ns=-5i", kTime2),
        "line 2: cputime_ns is no whole number of 0 or more, as 5i is");
  check(good + metrics("colour=5i", kTime2), "line 2: vm_metrics has no field \"colour\"");
  check(good + metrics("cputime_ns=5i", "\n"), "line 2: it has no timestamp");
  check(metrics("cputime_ns=5i", kTime2) + good, "line 2: its time is before the first cycle's");
  check("vm_metrics,VMID=1,name=web,uuid=1 cputime_ns=5i 1\n", "line 1: \"1\" is no UUID");
  check("vm_devices,VMID=1,devtype=nic" + kTags + " rxbytes=1i 1\n", "line 1: the tag device is missing");
}

TEST(Recording, RefusesMoreThanItsBounds) {
  std::string text;
  for (int i = 0; i <= static_cast<int>(Recording::kVmsMax); ++i) {
    text += "vm_metrics,VMID=1,name=web,uuid=11111111-2222-3333-4444-55555555" + std::to_string(1000 + i) +
            " cpu_count=1i 1\n";
  }
  const auto recording = parse_recording(text);
  ASSERT_FALSE(recording);
  EXPECT_EQ(recording.error().code, Errc::limit);
  EXPECT_EQ(recording.error().message.substr(0, 11), "line 1001: ");
}

TEST(ParseUuid, TakesTheUsualFormOnly) {
  EXPECT_EQ(parse_uuid("0123ABcd-4567-89ab-cdef-0123456789ab")->text(),
            "0123abcd-4567-89ab-cdef-0123456789ab");
  EXPECT_FALSE(parse_uuid("0123abcd-4567-89ab-cdef-0123456789a"));
  EXPECT_FALSE(parse_uuid("0123abcd-4567-89ab-cdef-0123456789ag"));
  EXPECT_FALSE(parse_uuid("0123abcd04567-89ab-cdef-0123456789ab"));
}

}  // namespace
}  // namespace virtmeter
