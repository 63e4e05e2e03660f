// A plan does what understanding the record does, or does not match.
#include "source/libvirt/record_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "source/libvirt/test_params.h"

namespace virtmeter {
namespace {

using test::Params;

constexpr MetricId kRx = metric_id("nic.rxbytes");
constexpr MetricId kReads = metric_id("disk.rd_req");

class RecordPlanTest : public ::testing::Test {
 protected:
  RecordPlanTest() {
    layout_->nics = {"vnet1", "vnet0"};
    layout_->disks = {"vda", "vdb"};
    told_.nics = {"vnet0", "vnet1"};
    told_.disks = {"sda", "vdb", "vda"};
  }
  VmSample empty() const {
    VmSample sample;
    begin_sample(sample, layout_);
    return sample;
  }
  RecordPlan plan_of(const Params& params) {
    const BulkRecord record(params.span());
    return {shapes_.share(RecordShape::of(params.span(), record)), record, *layout_};
  }
  static bool same(const VmSample& a, const VmSample& b) {
    const auto same_rows = [](const auto& left, const auto& right) {
      for (MetricId id = left.kRows.first; id < left.kRows.end; ++id) {
        if (left.absence(id) != right.absence(id) || left.integer(id) != right.integer(id)) return false;
      }
      return true;
    };
    return same_rows(a.values, b.values) &&
           std::equal(a.nics.begin(), a.nics.end(), b.nics.begin(), b.nics.end(), same_rows) &&
           std::equal(a.disks.begin(), a.disks.end(), b.disks.begin(), b.disks.end(), same_rows);
  }

  std::shared_ptr<VmLayout> layout_ = std::make_shared<VmLayout>();
  test::Telling told_;
  ShapeStore shapes_;
};

TEST_F(RecordPlanTest, FillsAsUnderstandingDoes) {
  for (const GroupSet groups : {kAllGroups, kGroupsWithoutMonitor, GroupSet{StatGroup::block}, GroupSet{}}) {
    Params first;
    tell(told_, groups, first);
    const RecordPlan plan = plan_of(first);
    told_.count += 1000;
    Params next;
    tell(told_, groups, next);
    ASSERT_TRUE(plan.matches(next.span()));
    VmSample by_plan = empty();
    plan.fill(next.span(), by_plan);
    VmSample understood = empty();
    const BulkRecord record(next.span());
    record.fill(understood);
    EXPECT_TRUE(same(by_plan, understood));
    EXPECT_EQ(plan.groups().disks, record.groups().disks);
    EXPECT_EQ(plan.groups().monitor_skipped(), record.groups().monitor_skipped());
  }
}

TEST_F(RecordPlanTest, MeetsDevicesByName) {
  Params params;
  tell(told_, kAllGroups, params);
  VmSample sample = empty();
  plan_of(params).fill(params.span(), sample);
  EXPECT_EQ(sample.nics[0].integer(kRx), 41);
  EXPECT_EQ(sample.nics[1].integer(kRx), 40);
  EXPECT_EQ(sample.disks[0].integer(kReads), 42);
  EXPECT_EQ(sample.disks[1].integer(kReads), 41);
}

TEST_F(RecordPlanTest, MatchesNoRecordThatDiffers) {
  Params first;
  tell(told_, kAllGroups, first);
  const RecordPlan plan = plan_of(first);
  const auto check = [&](auto change, std::string_view what) {
    Params other;
    tell(told_, kAllGroups, other);
    change(other);
    EXPECT_FALSE(plan.matches(other.span())) << what;
  };
  check([](Params& p) { p.number("block.9.rd.reqs", 1); }, "one more");
  check([](Params& p) { p.span()[3].field[0] = 'x'; }, "another key");
  check([](Params& p) { p.span()[2].type = VIR_TYPED_PARAM_LLONG; }, "another type");
  check([](Params& p) { std::swap(p.span()[4], p.span()[5]); }, "another order");
  told_.nics = {"vnet1", "vnet0"};
  check([](Params&) {}, "devices have changed places");
  told_.nics = {"vnet0", "vnet1"};
  told_.disks = {"sdb", "vdb", "vda"};
  check([](Params&) {}, "another cdrom");
  EXPECT_FALSE(RecordPlan().matches({})) << "no plan";
}

TEST_F(RecordPlanTest, SharesTheShapeOfEqualRecords) {
  Params one;
  tell(told_, kAllGroups, one);
  told_.nics = {"vnet7", "vnet8"};
  Params two;
  tell(told_, kAllGroups, two);
  const auto a = shapes_.share(RecordShape::of(one.span(), BulkRecord(one.span())));
  const auto b = shapes_.share(RecordShape::of(two.span(), BulkRecord(two.span())));
  EXPECT_EQ(a, b);
}

TEST_F(RecordPlanTest, KeepsTheShapesInUseWithinItsBound) {
  std::vector<std::shared_ptr<const RecordShape>> used;
  for (std::size_t i = 0; i < 2 * ShapeStore::kShapesMax; ++i) {
    Params params;
    params.number("key." + std::to_string(i), 1);
    used.push_back(shapes_.share(RecordShape::of(params.span(), BulkRecord(params.span()))));
    ASSERT_NE(used.back(), nullptr);
  }
  Params params;
  params.number("key.3", 2);
  EXPECT_EQ(shapes_.share(RecordShape::of(params.span(), BulkRecord(params.span()))), used[3]);
}

TEST_F(RecordPlanTest, HasNoShapeForAKeyWithoutItsEnd) {
  Params params;
  params.number("a", 1);
  std::memset(params.span()[0].field, 'a', VIR_TYPED_PARAM_FIELD_LENGTH);
  EXPECT_EQ(RecordShape::of(params.span(), BulkRecord(params.span())), nullptr);
}

}  // namespace
}  // namespace virtmeter
