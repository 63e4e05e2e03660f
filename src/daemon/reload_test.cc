#include "daemon/reload.h"

#include <gtest/gtest.h>

namespace virtmeter {
namespace {

using Lines = std::vector<std::string>;

TEST(PlanReload, HasNothingToDoWhereNothingChanged) {
  const ReloadPlan plan = plan_reload({}, {});
  EXPECT_FALSE(plan.collector || plan.sink || plan.log);
  EXPECT_EQ(plan.changed, Lines{});
  EXPECT_EQ(plan.waiting, Lines{});
}

TEST(PlanReload, TakesWhatMayChangeAndNamesWhatMustWait) {
  Settings wanted;
  wanted.poll_interval = std::chrono::seconds(2);
  wanted.libvirt_uri = "test:///default";
  wanted.http_listen = "";
  const ReloadPlan plan = plan_reload({}, wanted);
  EXPECT_TRUE(plan.collector);
  EXPECT_FALSE(plan.sink || plan.log);
  EXPECT_EQ(plan.changed, Lines{"poll_interval is 2s now"});
  EXPECT_EQ(plan.waiting, (Lines{"libvirt_uri takes effect at the next start",
                                 "http.listen takes effect at the next start"}));
  EXPECT_EQ(plan.settings.poll_interval, std::chrono::seconds(2));
  EXPECT_EQ(plan.settings.libvirt_uri, "qemu:///system") << "what runs is what is compared next time";
}

TEST(PlanReload, KnowsWhoTakesWhat) {
  Settings wanted;
  wanted.influx_url = "http://db:8086";
  wanted.log_level = LogLevel::debug;
  const ReloadPlan plan = plan_reload({}, wanted);
  EXPECT_TRUE(plan.sink && plan.log);
  EXPECT_FALSE(plan.collector);
}

TEST(PlanReload, ShowsNoSecret) {
  Settings wanted;
  wanted.influx_token = Secret("hush");
  EXPECT_EQ(plan_reload({}, wanted).changed, Lines{"influx_token is (set, 4 characters) now"});
  EXPECT_EQ(plan_reload(wanted, {}).changed, Lines{"influx_token is not set now"});
}

TEST(PlanReload, TakesTheFileOfTheTokenAlong) {
  Settings wanted;
  wanted.influx_token = Secret("new");
  wanted.influx_token_path = "/run/credentials/influx-token";
  const ReloadPlan plan = plan_reload({}, wanted);
  EXPECT_TRUE(plan.sink);
  EXPECT_EQ(plan.settings.influx_token_path, "/run/credentials/influx-token");
}

TEST(PlanReload, ShowsHostileValuesHarmlessly) {
  Settings wanted;
  wanted.host_tag = "a\nb";
  EXPECT_EQ(plan_reload({}, wanted).changed, Lines{"host_tag is a?b now"});
}

TEST(PlanReload, LeavesTheFileOfLinesWhereTheStateIs) {
  Settings running;
  running.state_dir = "/a";
  running.file_path = "/a/lines.lp";
  Settings wanted;
  wanted.state_dir = "/b";
  wanted.file_path = "/b/lines.lp";
  const ReloadPlan plan = plan_reload(running, wanted);
  EXPECT_FALSE(plan.sink);
  EXPECT_EQ(plan.settings.file_path, "/a/lines.lp");
  EXPECT_EQ(plan.waiting,
            (Lines{"state_dir takes effect at the next start", "file.path takes effect at the next start"}));
  wanted.file_path = "/elsewhere/lines.lp";
  EXPECT_TRUE(plan_reload(running, wanted).sink);
}

}  // namespace
}  // namespace virtmeter
