#include "sink/file_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sink/test_lines.h"

namespace virtmeter {
namespace {

namespace fs = std::filesystem;

class FileSinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "virtmeter-file-sink-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/lines.lp";
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<Sink> open(std::uint64_t max_bytes = 1u << 20) const {
    return FileSink::open({path_, max_bytes}).value();
  }

  static std::string text(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  static void write(const std::string& path, std::string_view bytes) { std::ofstream(path) << bytes; }

  static SendResult send(Sink& sink, std::string_view lines, std::uint64_t count) {
    return sink.send(batch_of(lines, count));
  }

  std::string folder_;
  std::string path_;
};

TEST_F(FileSinkTest, AppendsWhatItIsGiven) {
  write(path_, "before v=1\n");
  const auto sink = open();
  const SendResult result = send(*sink, "a v=1\nb v=2\n", 2);
  EXPECT_EQ(result.verdict, Verdict::delivered);
  EXPECT_EQ(result.cost.raw_bytes, 12u);
  EXPECT_EQ(send(*sink, "c v=3\n", 1).verdict, Verdict::delivered);
  EXPECT_EQ(text(path_), "before v=1\na v=1\nb v=2\nc v=3\n");
}

TEST_F(FileSinkTest, CreatesAFileThatOthersCannotRead) {
  const auto sink = open();
  const mode_t before = umask(0);
  send(*sink, "a v=1\n", 1);
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777u, 0640u);
}

TEST_F(FileSinkTest, RotatesAtHalfOfTheLimit) {
  constexpr std::uint64_t kMax = 8192;
  const auto sink = open(kMax);
  std::string all;
  for (int i = 0; i < 400; ++i) {
    all += test_line(i);
    ASSERT_EQ(send(*sink, test_line(i), 1).verdict, Verdict::delivered);
    const std::uint64_t total =
        fs::file_size(path_) + (fs::exists(path_ + ".1") ? fs::file_size(path_ + ".1") : 0);
    ASSERT_LE(total, kMax);
  }
  const std::string kept = text(path_ + ".1") + text(path_);
  EXPECT_GE(kept.size(), kMax / 2);
  EXPECT_TRUE(all.ends_with(kept));
  EXPECT_EQ(kept.substr(0, 10), "vm_totals,");
}

TEST_F(FileSinkTest, AsksForABatchThatFitsTheFile) {
  const auto sink = open(FileSink::kMaxBytesMin);
  const SendResult result = send(*sink, test_lines(0, 100), 100);
  EXPECT_EQ(result.verdict, Verdict::halve);
  EXPECT_EQ(result.error.message, "file " + path_ + " may hold 2048 bytes");
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(FileSinkTest, CutsAwayALineThatACrashHasTorn) {
  write(path_, "a v=1\nb v=2\nc v");
  send(*open(), "d v=4\n", 1);
  EXPECT_EQ(text(path_), "a v=1\nb v=2\nd v=4\n");

  write(path_, "torn" + std::string(100'000, 'x'));
  send(*open(), "e v=5\n", 1);
  EXPECT_EQ(text(path_), "e v=5\n");
}

TEST_F(FileSinkTest, LeavesNoTornLineWhenTheDiskIsFull) {
  const auto sink = open();
  ASSERT_EQ(send(*sink, "a v=1\n", 1).verdict, Verdict::delivered);
  // A limit on the file's size makes write() end short and then fail, as a full disk does.
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{20, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const SendResult result = send(*sink, test_lines(0, 3), 3);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);

  EXPECT_EQ(result.verdict, Verdict::retry);
  EXPECT_EQ(result.error.code, Errc::io);
  EXPECT_EQ(result.error.message, "write " + path_ + ": file too large");
  EXPECT_EQ(text(path_), "a v=1\n");
  EXPECT_EQ(send(*sink, test_lines(0, 3), 3).verdict, Verdict::delivered);
  EXPECT_EQ(text(path_), "a v=1\n" + test_lines(0, 3));
}

TEST_F(FileSinkTest, FollowsAFileThatWasMovedDeletedOrEmptied) {
  const auto sink = open();
  send(*sink, "a v=1\n", 1);
  fs::rename(path_, path_ + ".old");
  send(*sink, "b v=2\n", 1);
  EXPECT_EQ(text(path_ + ".old"), "a v=1\n");
  EXPECT_EQ(text(path_), "b v=2\n");
  fs::remove(path_);
  send(*sink, "c v=3\n", 1);
  EXPECT_EQ(text(path_), "c v=3\n");
  write(path_, "");
  send(*sink, "d v=4\n", 1);
  EXPECT_EQ(text(path_), "d v=4\n");
}

TEST_F(FileSinkTest, KeepsLinesThatSomebodyElseHasAdded) {
  const auto sink = open();
  send(*sink, "a v=1\n", 1);
  std::ofstream(path_, std::ios::app) << "other v=1\n";
  send(*sink, "b v=2\n", 1);
  EXPECT_EQ(text(path_), "a v=1\nother v=1\nb v=2\n");
}

TEST_F(FileSinkTest, RefusesWhatIsNoOrdinaryFile) {
  const auto check = [this](std::string_view want) {
    const auto sink = open();
    const SendResult result = send(*sink, "a v=1\n", 1);
    EXPECT_EQ(result.verdict, Verdict::stop_and_say);
    EXPECT_EQ(result.error.message, "open " + path_ + ": " + std::string(want));
    EXPECT_FALSE(result.error.fix.empty());
    EXPECT_FALSE(sink->check());
  };
  fs::create_symlink("/etc/hostname", path_);
  check("too many levels of symbolic links");
  fs::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  check("no such device or address");
  fs::remove(path_);
  fs::create_directory(path_);
  check("is a directory");
}

TEST_F(FileSinkTest, SaysThatTheFolderIsMissing) {
  const auto sink = FileSink::open({folder_ + "/none/lines.lp", 1u << 20}).value();
  const SendResult result = send(*sink, "a v=1\n", 1);
  EXPECT_EQ(result.verdict, Verdict::stop_and_say);
  EXPECT_EQ(result.error.code, Errc::not_found);
  EXPECT_EQ(result.error.message, "open " + folder_ + "/none/lines.lp: no such file or directory");
  EXPECT_EQ(result.error.fix, "create the folder, or name a file in one that exists");
}

TEST_F(FileSinkTest, ChecksWithoutCreatingTheFile) {
  EXPECT_TRUE(open()->check());
  EXPECT_FALSE(fs::exists(path_));
  const Status missing = FileSink::open({folder_ + "/none/lines.lp", 1u << 20}).value()->check();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "create " + folder_ + "/none/lines.lp: no such file or directory");
}

TEST_F(FileSinkTest, RefusesSettingsThatCannotWork) {
  EXPECT_EQ(FileSink::open({"", 1u << 20}).error().message, "file_path: is empty");
  EXPECT_EQ(FileSink::open({path_, 100}).error().message, "file_max_bytes: 100 is less than 4096");
}

}  // namespace
}  // namespace virtmeter
