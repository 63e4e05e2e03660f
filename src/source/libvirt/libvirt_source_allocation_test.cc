// What is between the calls into libvirt allocates nothing, once every VM is known.
#include <gtest/gtest.h>

#include <map>

#include "base/test_allocations.h"
#include "source/libvirt/fake_fast_reader.h"
#include "source/libvirt/libvirt_source.h"
#include "source/libvirt/test_params.h"

namespace virtmeter {
namespace {

constexpr std::size_t kVms = 50;

// A daemon that says the same again and again, out of records made beforehand.
class ReplayConnector final : public Connector {
 public:
  ReplayConnector() {
    for (const GroupSet groups :
         {kAllGroups, GroupSet{StatGroup::block}, GroupSet{StatGroup::balloon, StatGroup::block}}) {
      tell({{"vnet0", "vnet1"}, {"vda", "vdb", "sda"}}, groups, records_[groups]);
    }
  }
  Status connect() override { return Status::ok(); }
  void disconnect() override {}
  bool alive() override { return true; }
  Status renew(std::span<LiveVm>) override { return Status::ok(); }
  Status get_live_vms(std::vector<LiveVm>& vms) override {
    vms.resize(kVms);
    for (std::size_t i = 0; i < kVms; ++i) {
      vms[i].uuid.bytes[0] = static_cast<std::uint8_t>(i);
      vms[i].domain_id = static_cast<int>(i);
      vms[i].name = "a name that is longer than a short string may be";
      vms[i].state = VIR_DOMAIN_RUNNING;
    }
    return Status::ok();
  }
  Status get_bulk_stats(const BulkRequest& request, const RecordVisitor& visit) override {
    for (const LiveVm* vm : request.vms) visit(vm->uuid, records_.at(request.groups).span());
    return Status::ok();
  }
  Result<DeviceList> get_devices_for_vm(const LiveVm&) override {
    return DeviceList{{"vnet0", "vnet1"}, {"vda", "vdb"}, {"sda"}, std::chrono::seconds(20)};
  }
  Result<ControlState> get_control_state(const LiveVm&) override { return ControlState{}; }
  Status get_info(const LiveVm&, VmValues&) override { return Status::ok(); }
  Status get_memory_stats(const LiveVm&, VmValues&) override { return Status::ok(); }
  Status get_cpu_stats(const LiveVm&, VmValues&) override { return Status::ok(); }
  Status get_interface_stats(const LiveVm&, const std::string&, NicValues&) override { return Status::ok(); }
  Status get_block_stats(const LiveVm&, const std::string&, DiskValues&) override { return Status::ok(); }
  Invalidations take_invalidations() override { return {}; }
  bool tells_of_balloons() const override { return true; }
  std::uint64_t cancelled_calls() const override { return 0; }
  std::string version() override { return "replay"; }
  std::string host_name() override { return ""; }

 private:
  std::map<GroupSet, test::Params> records_;
};

std::uint64_t allocations_of_cycles(bool with_kernel) {
  ManualClock clock;
  std::unique_ptr<FastReader> fast;
  if (with_kernel) fast = std::make_unique<test::FakeFastReader>(clock);
  LibvirtSource source({}, std::make_unique<ReplayConnector>(), clock, std::move(fast));
  std::vector<VmSample> vms;
  const auto cycle = [&] {
    clock.advance(std::chrono::seconds(5));
    ASSERT_TRUE(source.read(vms));
    ASSERT_EQ(vms.size(), kVms);
    ASSERT_EQ(vms[7].disks[1].integer(metric_id("disk.rd_req")), 41);
  };
  for (int i = 0; i < 6; ++i) cycle();
  test::start_counting_allocations();
  for (int i = 0; i < 20; ++i) cycle();
  return test::stop_counting_allocations();
}

TEST(LibvirtSource, AllocatesNothingInSteadyState) {
  EXPECT_EQ(allocations_of_cycles(false), 0u) << "libvirt alone";
  EXPECT_EQ(allocations_of_cycles(true), 0u) << "in tiers";
}

}  // namespace
}  // namespace virtmeter
