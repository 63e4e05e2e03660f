#include "source/replay/replay_options.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

TEST(ReplayAddress, NamesAFileAndNothingElse) {
  const auto options = parse_replay_address("replay:///srv/rec.lp");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->path, "/srv/rec.lp");
  EXPECT_EQ(options->vms, 0u);
  EXPECT_EQ(options->churn, 0);
  EXPECT_FALSE(options->nics);
}

TEST(ReplayAddress, TakesEveryOption) {
  const auto options =
      parse_replay_address("replay:///r?vms=10000&seed=7&nics=0&disks=24&churn=0.5&hotplug=12");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->vms, 10000u);
  EXPECT_EQ(options->seed, 7u);
  EXPECT_EQ(options->nics, 0u);
  EXPECT_EQ(options->disks, 24u);
  EXPECT_EQ(options->churn, 0.5);
  EXPECT_EQ(options->hotplug, 12.0);
}

TEST(ReplayAddress, RefusesWhatItDoesNotKnow) {
  const auto check = [](const std::string& address, const std::string& message, const std::string& fix) {
    const auto options = parse_replay_address(address);
    ASSERT_FALSE(options) << address;
    EXPECT_EQ(options.error().code, Errc::invalid);
    EXPECT_EQ(options.error().message, message);
    EXPECT_NE(options.error().fix.find(fix), std::string::npos) << options.error().fix;
  };
  check("replay://rec.lp", "replay://rec.lp: the file is not named by its whole path", "replay:///path");
  check("replay:/rec.lp", "replay:/rec.lp: the file is not named by its whole path", "replay:///path");
  check("replay:///?vms=1", "replay:///?vms=1: it names no file", "replay:///path");
  check("replay:///r?vmz=1", "replay:///r?vmz=1: there is no option \"vmz\"", "did you mean vms ?");
  check("replay:///r?colour=1", "replay:///r?colour=1: there is no option \"colour\"", "use vms, seed");
  check("replay:///r?vms=0", "replay:///r?vms=0: vms cannot be \"0\"", "from 1 to 100000");
  check("replay:///r?vms=100001", "replay:///r?vms=100001: vms cannot be \"100001\"", "a whole number");
  check("replay:///r?vms=1.5", "replay:///r?vms=1.5: vms cannot be \"1.5\"", "a whole number");
  check("replay:///r?vms", "replay:///r?vms: vms cannot be \"\"", "from 1");
  check("replay:///r?churn=-1", "replay:///r?churn=-1: churn cannot be \"-1\"", "a number from 0 to 3600");
  check("replay:///r?churn=nan", "replay:///r?churn=nan: churn cannot be \"nan\"", "a number");
  check("replay:///r?disks=25", "replay:///r?disks=25: disks cannot be \"25\"", "0 to 24");
}

TEST(ReplayAddress, IsToldFromThoseOfLibvirt) {
  EXPECT_TRUE(is_replay_address("replay:///r"));
  EXPECT_FALSE(is_replay_address("qemu:///system"));
}

}  // namespace
}  // namespace virtmeter
