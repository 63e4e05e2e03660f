#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/test_output.h"
#include "spool/spool.h"

namespace virtmeter {
namespace {

class SpoolCommand : public testing::Test {
 protected:
  SpoolCommand() {
    std::string pattern = (std::filesystem::temp_directory_path() / "virtmeter-spool-XXXXXX").string();
    state_dir_ = mkdtemp(pattern.data());
  }
  ~SpoolCommand() override { std::filesystem::remove_all(state_dir_); }

  // As a daemon leaves it that collected two lines and delivered none.
  void leave_a_spool() {
    const SystemClock clock;
    SpoolOptions options;
    options.folder = state_dir_ + "/spool";
    options.min_free_bytes = 0;
    auto spool = Spool::open(options, {"sink"}, system_files(), clock);
    ASSERT_TRUE(spool);
    spool.value()->append("a v=1i 1\nb v=2i 1\n", 2, WallTime{1'700'000'000'000'000'000});
    spool.value()->finish();
  }

  Ran run(const char* what, const char* format = "table") {
    return run_words({"--state-dir", state_dir_.c_str(), "spool", what, "-o", format});
  }

  std::string state_dir_;
};

TEST_F(SpoolCommand, TellsTheAccountOfEachReader) {
  leave_a_spool();
  const Ran ran = run("status");
  EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
  EXPECT_NE(ran.out.find("reader     sink\n  collected  2\n  delivered  0\n  waiting    2\n"),
            std::string::npos)
      << ran.out;
}

TEST_F(SpoolCommand, VerifiesAWholeSpool) {
  leave_a_spool();
  const Ran ran = run("verify");
  EXPECT_EQ(ran.code, ExitCode::ok) << ran.out;
  EXPECT_NE(ran.out.find("ok: every record is whole\n"), std::string::npos) << ran.out;
}

TEST_F(SpoolCommand, NamesDamageAndEndsWithBadData) {
  leave_a_spool();
  for (const auto& entry : std::filesystem::directory_iterator(state_dir_ + "/spool")) {
    if (entry.path().extension() != ".seg") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(64 + 48);  // The first byte of the first record's lines.
    file.put('#');
  }
  const Ran ran = run("verify");
  EXPECT_EQ(ran.code, ExitCode::bad_data) << ran.out;
  EXPECT_NE(ran.out.find("DAMAGE "), std::string::npos) << ran.out;
  EXPECT_EQ(run("verify", "json").code, ExitCode::bad_data);
}

TEST_F(SpoolCommand, SaysWhereItLookedWhenThereIsNone) {
  const Ran ran = run("status");
  EXPECT_EQ(ran.code, ExitCode::no_input);
  EXPECT_NE(ran.err.find(state_dir_ + "/spool"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace virtmeter
