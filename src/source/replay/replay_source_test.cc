#include "source/replay/replay_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "base/memory_file_system.h"
#include "codec/line_protocol.h"

namespace virtmeter {
namespace {

using std::chrono::seconds;

const std::string kLab = std::string(VIRTMETER_SOURCE_DIR) + "/src/source/replay/testdata/lab.lp";

std::unique_ptr<Source> open_lab(const std::string& options, const Clock& clock) {
  auto source = ReplaySource::open("replay://" + kLab + options, system_files(), clock);
  EXPECT_TRUE(source) << source.error().message;
  return source ? std::move(source).value() : nullptr;
}

std::vector<VmSample> read(Source& source) {
  std::vector<VmSample> vms;
  EXPECT_TRUE(source.read(vms));
  return vms;
}

std::int64_t rx_bytes(const VmSample& vm) {
  return vm.nics.at(0).integer(metric_id("nic.rxbytes")).value_or(-1);
}

TEST(ReplaySource, PlaysTheRecordingAsItWas) {
  ManualClock clock;
  const auto source = open_lab("", clock);
  const auto vms = read(*source);
  ASSERT_EQ(vms.size(), 3u);
  EXPECT_EQ(vms[0].layout->name, "web-1");
  EXPECT_EQ(vms[0].layout->uuid_text, "30fbc481-3c33-4cd0-aa3f-d745f3f8f840");
  EXPECT_EQ(vms[0].layout->nics, (std::vector<std::string>{"vlf7b7g0n0", "vlf7b7g0n1"}));
  EXPECT_EQ(vms[0].layout->disks, (std::vector<std::string>{"vda", "vdb", "vdc"}));
  EXPECT_EQ(vms[2].values.integer(metric_id("vm_totals.state")), 3);
  EXPECT_EQ(vms[0].read_at, clock.boot_now());
  EXPECT_EQ(source->host_name(), "replay");
  EXPECT_EQ(source->status().version, "3 VMs played from 3 VMs in 25 cycles");
}

// The devices' lines of a text, without the VM's id and the time, and in order.
std::vector<std::string> device_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with("vm_devices,VMID=")) continue;
    lines.push_back(line.substr(line.find(",device"), line.rfind(' ') - line.find(",device")));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

// The contract of a source: the values that come out are those that were recorded. At the last cycle the
// recording begins anew, where its counters ended.
TEST(ReplaySource, GivesBackTheLinesThatWereRecorded) {
  std::ifstream file(kLab);
  std::stringstream recorded;
  recorded << file.rdbuf();
  const auto recording = parse_recording(recorded.str());
  ASSERT_TRUE(recording);

  ManualClock clock;
  const auto source = open_lab("", clock);
  LineProtocolEncoder encoder({MissingPolicy::omit});
  std::string played;
  std::chrono::nanoseconds before{0};
  for (const std::chrono::nanoseconds frame : recording->frames) {
    clock.advance(frame - before);
    before = frame;
    Cycle cycle;
    ASSERT_TRUE(source->read(cycle.vms));
    encoder.encode(cycle, played);
  }
  EXPECT_EQ(device_lines(played), device_lines(recorded.str()));
}

TEST(ReplaySource, MakesManyVmsThatDiffer) {
  ManualClock clock;
  const auto source = open_lab("?vms=1000&nics=2&disks=3", clock);
  const auto vms = read(*source);
  ASSERT_EQ(vms.size(), 1000u);
  std::set<std::string> names;
  std::set<Uuid> uuids;
  std::set<int> ids;
  std::set<std::string> nics;
  for (const VmSample& vm : vms) {
    names.insert(vm.layout->name);
    uuids.insert(vm.layout->uuid);
    ids.insert(vm.layout->domain_id);
    nics.insert(vm.layout->nics.begin(), vm.layout->nics.end());
    EXPECT_EQ(vm.nics.size(), 2u);
    EXPECT_EQ(vm.disks.size(), 3u);
    EXPECT_EQ(vm.layout->disks, (std::vector<std::string>{"vda", "vdb", "vdc"}));
    EXPECT_TRUE(vm.nics[1].has(metric_id("nic.rxbytes")));
  }
  EXPECT_EQ(names.size(), 1000u);
  EXPECT_EQ(uuids.size(), 1000u);
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_EQ(nics.size(), 2000u);
  EXPECT_NE(rx_bytes(vms[3]), rx_bytes(vms[6]));
}

TEST(ReplaySource, MovesEveryWorkingVmAndNeverBack) {
  ManualClock clock;
  const auto source = open_lab("?vms=50", clock);
  auto before = read(*source);
  const auto first = before;
  for (int i = 0; i < 100; ++i) {
    clock.advance(seconds(5));
    const auto now = read(*source);
    for (std::size_t vm = 0; vm < now.size(); ++vm) {
      for (std::size_t disk = 0; disk < now[vm].disks.size(); ++disk) {
        const MetricId id = metric_id("disk.wr_bytes");
        EXPECT_GE(now[vm].disks[disk].integer(id), before[vm].disks[disk].integer(id));
      }
    }
    before = now;
  }
  for (std::size_t vm = 0; vm < before.size(); ++vm) {
    const MetricId cpu = metric_id("vm_metrics.cputime_ns");
    const bool is_running = before[vm].values.integer(metric_id("vm_totals.state")) == 1;
    EXPECT_TRUE(!is_running || before[vm].values.integer(cpu) > first[vm].values.integer(cpu));
  }
}

// Two runs that look at other times agree where they look at the same.
TEST(ReplaySource, IsReproducible) {
  ManualClock clock;
  const std::string options = "?vms=200&seed=5&churn=60&hotplug=60";
  const auto often = open_lab(options, clock);
  const auto seldom = open_lab(options, clock);
  std::vector<VmSample> reused;
  ASSERT_TRUE(often->read(reused));
  read(*seldom);
  for (int i = 0; i < 60; ++i) {
    clock.advance(seconds(3));
    ASSERT_TRUE(often->read(reused));
  }
  const auto fresh = read(*seldom);
  ASSERT_EQ(fresh.size(), reused.size());
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    EXPECT_EQ(fresh[i].layout->name, reused[i].layout->name);
    EXPECT_EQ(fresh[i].layout->domain_id, reused[i].layout->domain_id);
    EXPECT_EQ(fresh[i].layout->nics, reused[i].layout->nics);
    EXPECT_EQ(fresh[i].layout->disks, reused[i].layout->disks);
    ASSERT_FALSE(fresh[i].disks.empty());
    EXPECT_EQ(fresh[i].disks.back().integer(metric_id("disk.rd_req")),
              reused[i].disks.back().integer(metric_id("disk.rd_req")));
  }
}

TEST(ReplaySource, FollowsTheSeed) {
  ManualClock clock;
  EXPECT_NE(read(*open_lab("?vms=4&seed=1", clock))[3].layout->uuid,
            read(*open_lab("?vms=4&seed=2", clock))[3].layout->uuid);
}

TEST(ReplaySource, RestartsVmsWithNewIds) {
  ManualClock clock;
  const auto source = open_lab("?vms=100&churn=1", clock);
  const auto before = read(*source);
  std::size_t fewest = before.size();
  for (int i = 0; i < 3600 / 10; ++i) {
    clock.advance(seconds(10));
    fewest = std::min(fewest, read(*source).size());
  }
  EXPECT_LT(fewest, 100u);
  EXPECT_GT(fewest, 90u);
  clock.advance(seconds(20));
  std::set<int> ids;
  for (const VmSample& vm : before) ids.insert(vm.layout->domain_id);
  std::set<int> kept;
  for (const VmSample& vm : read(*source)) {
    if (ids.contains(vm.layout->domain_id)) kept.insert(vm.layout->domain_id);
  }
  EXPECT_TRUE(kept.empty()) << "within the hour each was started anew";
}

TEST(ReplaySource, PlugsDevicesThatBeginToCountThen) {
  ManualClock clock;
  const auto source = open_lab("?vms=4&hotplug=1", clock);
  EXPECT_EQ(read(*source)[3].disks.size(), 3u);
  VmSample plugged;
  for (int i = 0; i < 3600 && plugged.disks.size() < 4; ++i) {
    clock.advance(seconds(1));
    plugged = read(*source)[3];  // An old VM.
  }
  ASSERT_EQ(plugged.disks.size(), 4u);
  EXPECT_EQ(plugged.layout->disks.back(), "vdd");
  EXPECT_LT(plugged.disks.back().integer(metric_id("disk.wr_bytes")), 1'000'000);
  EXPECT_GT(plugged.disks.front().integer(metric_id("disk.wr_bytes")), 1'000'000);
}

TEST(ReplaySource, SaysWhatIsWrongWithTheFile) {
  ManualClock clock;
  MemoryFileSystem files;
  ASSERT_TRUE(files.make_folder("/r"));
  const auto put = [&](const std::string& path, const std::string& text) {
    ASSERT_TRUE(files.open(path, OpenMode::create_new).value()->write_at(text, 0));
  };
  put("/r/one", "vm_metrics,VMID=1,name=a,uuid=11111111-2222-3333-4444-555555555555 cpu_count=1i 1\n");
  put("/r/bare",
      "vm_metrics,VMID=1,name=a,uuid=11111111-2222-3333-4444-555555555555 cpu_count=1i 1\n"
      "vm_metrics,VMID=1,name=a,uuid=11111111-2222-3333-4444-555555555555 cpu_count=1i 2\n");
  put("/r/large", std::string(Recording::kBytesMax + 1, '\n'));
  const auto check = [&](const std::string& address, Errc code, const std::string& message) {
    const auto source = ReplaySource::open(address, files, clock);
    ASSERT_FALSE(source) << address;
    EXPECT_EQ(source.error().code, code);
    EXPECT_NE(source.error().message.find(message), std::string::npos) << source.error().message;
    EXPECT_NE(source.error().fix, "");
  };
  check("replay:///r/none", Errc::not_found, "/r/none");
  check("replay:///r/one", Errc::invalid, "/r/one: there is one cycle in it");
  check("replay:///r/large", Errc::limit, "/r/large: 16777217 bytes, more than 16777216");
  check("replay:///r/bare?nics=1", Errc::invalid, "no VM of the recording has a nic");
  check("replay:///r/bare?hotplug=1", Errc::invalid, "no VM of the recording has a nic");
  EXPECT_TRUE(ReplaySource::open("replay:///r/bare?vms=5", files, clock));
}

}  // namespace
}  // namespace virtmeter
