#include "sink/dead_letters.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/check.h"

namespace virtmeter {
namespace {

using nlohmann::json;

class DeadLettersTest : public ::testing::Test {
 protected:
  DeadLettersTest() {
    std::string folder = (std::filesystem::temp_directory_path() / "virtmeter-letters-XXXXXX").string();
    CHECK(mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
  }
  ~DeadLettersTest() override { std::filesystem::remove_all(folder_); }

  DeadLetters open(std::uint64_t max_bytes = 1u << 20) const {
    return DeadLetters({folder_ + "/deadletter", "influx", "http://influx:8086", max_bytes}, clock_);
  }

  std::string path(std::string_view end = "") const {
    return folder_ + "/deadletter/influx.ndjson" + std::string(end);
  }

  std::vector<std::string> lines(const std::string& file_path) const {
    std::vector<std::string> lines;
    std::ifstream file(file_path);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  ManualClock clock_;
  std::string folder_;
};

mode_t mode_of(const std::string& path) {
  struct stat status {};
  CHECK(stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

TEST_F(DeadLettersTest, AreOneJsonObjectALine) {
  DeadLetters letters = open();
  letters.add({"partial write", 400, "bad tag", 17, "m,a=\"b\" v=1i 5", 1, ""});
  letters.add({"partial write", 0, "gone", 18, "", 5, "not looked for"});
  letters.flush();
  EXPECT_EQ(
      lines(path()),
      (std::vector<std::string>{
          R"({"time":"2023-11-14T22:13:20.000Z","sink":"influx","target":"http://influx:8086",)"
          R"("cause":"partial write","status":400,"words":"bad tag","line_number":17,)"
          R"("line":"m,a=\"b\" v=1i 5"})",
          R"({"time":"2023-11-14T22:13:20.000Z","sink":"influx","target":"http://influx:8086",)"
          R"("cause":"partial write","words":"gone","line_number":18,"lines":5,"note":"not looked for"})"}));
  EXPECT_EQ(letters.counts().written, 2u);
  EXPECT_EQ(letters.counts().unwritten, 0u);
}

TEST_F(DeadLettersTest, AreForTheirOwnerAndGroupOnly) {
  DeadLetters letters = open();
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/deadletter"));
  letters.add({"a", 0, "b", 1, "c", 1, ""});
  letters.flush();
  EXPECT_EQ(mode_of(path()) & 0137, 0u);
  EXPECT_EQ(mode_of(folder_ + "/deadletter") & 0027, 0u);
}

TEST_F(DeadLettersTest, StayOneLineWhateverTheBytes) {
  DeadLetters letters = open();
  const std::string hostile("a\n\r\x00\x1b\xff\xc3\x28\"\\\xe2\x80\xa8", 14);
  letters.add({"cause", 400, hostile, 1, hostile, 1, ""});
  letters.flush();
  ASSERT_EQ(lines(path()).size(), 1u);
  EXPECT_TRUE(json::accept(lines(path())[0]));
}

TEST_F(DeadLettersTest, KeepTheLatestWithinTheirBound) {
  DeadLetters letters = open(20'000);
  const std::string line(500, 'x');
  for (std::uint64_t i = 0; i < 200; ++i) {
    letters.add({"cause", 400, "words", i, line, 1, ""});
    letters.flush();
  }
  EXPECT_LE(std::filesystem::file_size(path()) + std::filesystem::file_size(path(".1")), 20'000u);
  EXPECT_EQ(json::parse(lines(path()).back()).at("line_number"), 199);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ + "/deadletter"), {}), 2);
  EXPECT_EQ(letters.counts().written, 200u);
}

TEST_F(DeadLettersTest, AreWrittenBeforeTooManyWait) {
  DeadLetters letters = open(64u << 20);
  const std::string line(1u << 20, 'x');
  letters.add({"cause", 400, "words", 1, line, 1, ""});
  EXPECT_EQ(letters.counts().written, 1u);
}

TEST_F(DeadLettersTest, AreCountedWhenTheyCannotBeWritten) {
  std::ofstream(folder_ + "/deadletter") << "in the way";
  DeadLetters letters = open();
  for (int i = 0; i < 3; ++i) letters.add({"a", 0, "b", 1, "c", 1, ""});
  letters.flush();
  EXPECT_EQ(letters.counts().written, 0u);
  EXPECT_EQ(letters.counts().unwritten, 3u);
  std::filesystem::remove(folder_ + "/deadletter");
  letters.add({"a", 0, "b", 1, "c", 1, ""});
  letters.flush();
  letters.flush();
  EXPECT_EQ(letters.counts().written, 1u);
  EXPECT_EQ(letters.counts().unwritten, 3u);
}

TEST_F(DeadLettersTest, NeedAFolder) {
  DeadLetters letters({"", "influx", "x"}, clock_);
  letters.add({"a", 0, "b", 1, "c", 1, ""});
  letters.flush();
  EXPECT_EQ(letters.counts().unwritten, 1u);
  EXPECT_FALSE(std::filesystem::exists("/influx.ndjson"));
}

}  // namespace
}  // namespace virtmeter
