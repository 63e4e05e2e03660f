#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "cli/test_output.h"
#include "daemon/stop_signals.h"

namespace virtmeter {
namespace {

TEST(RunCommand, EndsWellWhenItIsTold) {
  char pattern[] = "/tmp/virtmeter-run-XXXXXX";
  const std::string folder = mkdtemp(pattern);
  block_stop_signals();
  raise(SIGTERM);  // Waits, blocked, until the daemon asks for it.
  const std::string state = folder + "/state";
  const Ran ran = run_words({"run", "--libvirt-uri", "test:///default", "--state-dir", state.c_str(),
                             "--http-listen=", "--process-core-dump", "on"});
  EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
  EXPECT_NE(ran.err.find("test:///default every 5 s, lines to "), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("stopped after "), std::string::npos) << ran.err;
  EXPECT_EQ(ran.out, "");
  std::filesystem::remove_all(folder);
}

TEST(RunCommand, RefusesAStateFolderThatCannotBe) {
  const Ran ran = run_words(
      {"run", "--libvirt-uri", "test:///default", "--state-dir", "/dev/null/x", "--process-core-dump", "on"});
  EXPECT_EQ(ran.code, ExitCode::io_error);
  EXPECT_NE(ran.err.find("state_dir /dev/null/x"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace virtmeter
