#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "cli/test_output.h"

namespace virtmeter {
namespace {

class CheckCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/virtmeter-check-XXXXXX";
    folder_ = mkdtemp(pattern);
    state_ = folder_ + "/state";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::string state_;
};

TEST_F(CheckCommand, IsContentWithWhatWorksAndMakesNothing) {
  const Ran ran = run_words({"check", "--libvirt-uri", "test:///default", "--state-dir", state_.c_str()});
  EXPECT_EQ(ran.code, ExitCode::ok) << ran.out;
  EXPECT_NE(ran.out.find("ok    libvirt    test:///default, read-only: TEST"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("ok    vms        1 active"), std::string::npos) << ran.out;
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(CheckCommand, NamesEachFailureWithItsFixAndEndsWithTheFirst) {
  const Ran ran = run_words({"check", "--libvirt-uri", "qemu+unix:///system?socket=/nowhere/sock",
                             "--influx-url", "http://127.0.0.1:1", "--state-dir", state_.c_str()});
  EXPECT_EQ(ran.code, ExitCode::unavailable);
  EXPECT_NE(ran.out.find("FAIL  libvirt    E101"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("FAIL  influx     "), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("fix: "), std::string::npos);
}

}  // namespace
}  // namespace virtmeter
