#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/test_output.h"
#include "source/libvirt/test_suppressions.h"

namespace virtmeter {
namespace {

constexpr const char* kUri = "test:///default";

TEST(OnceCommand, PrintsLineProtocolAndKeepsWordsApart) {
  const Ran ran = run_words({"once", "--libvirt-uri", kUri});
  EXPECT_EQ(ran.code, ExitCode::ok);
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 5) << ran.out;
  EXPECT_EQ(ran.out.substr(0, 11), "vm_metrics,");
  EXPECT_NE(ran.err.find("cycle 1: 1 VMs"), std::string::npos);
}

TEST(OnceCommand, AddsTrendsFromTheSecondCycleOn) {
  const Ran ran = run_words({"once", "--libvirt-uri", kUri, "--cycles", "2", "--interval", "100ms"});
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 11);
  EXPECT_NE(ran.out.find("\nvm_features,"), std::string::npos);
}

TEST(OnceCommand, PrintsJsonLines) {
  const Ran ran = run_words({"once", "--libvirt-uri", kUri, "--output", "json"});
  const auto cycle = nlohmann::json::parse(ran.out);
  EXPECT_EQ(cycle["vms"].size(), 1u);
}

TEST(OnceCommand, PrintsPrometheusText) {
  const Ran ran = run_words({"once", "--libvirt-uri", kUri, "--output", "prometheus"});
  EXPECT_EQ(ran.out.substr(0, 7), "# HELP ");
}

TEST(OnceCommand, PlaysARecordingAsAnyNumberOfVms) {
  constexpr const char* kGood =
      "replay://" VIRTMETER_SOURCE_DIR "/src/source/replay/testdata/lab.lp?vms=10&nics=2&disks=3";
  const Ran ran = run_words({"once", "--libvirt-uri", kGood, "--cycles", "2", "--interval", "100ms"});
  EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 71 + 81);
  const Ran wrong = run_words({"once", "--libvirt-uri", "replay:///recording.lp?vmz=10"});
  EXPECT_EQ(wrong.code, ExitCode::settings);
  EXPECT_NE(wrong.err.find("fix: did you mean vms ?"), std::string::npos) << wrong.err;
}

TEST(OnceCommand, SaysWhatIsWrongWithTheConnection) {
  const Ran missing = run_words({"once", "--libvirt-uri", "qemu+unix:///system?socket=/nowhere/sock"});
  EXPECT_EQ(missing.code, ExitCode::unavailable);
  EXPECT_EQ(missing.out, "");
  EXPECT_NE(missing.err.find("E101 libvirt is not running"), std::string::npos);
  EXPECT_NE(missing.err.find("fix: sudo systemctl start"), std::string::npos);
  const Ran wrong = run_words({"once", "--libvirt-uri", "kvm:///system"});
  EXPECT_EQ(wrong.code, ExitCode::settings);
  EXPECT_NE(wrong.err.find("did you mean qemu:///system ?"), std::string::npos);
}

}  // namespace
}  // namespace virtmeter
