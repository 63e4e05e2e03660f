#include "cli/secret_arguments.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace virtmeter {
namespace {

std::string wiped(std::vector<std::string> words) {
  words.insert(words.begin(), "virtmeter");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  wipe_secret_arguments(static_cast<int>(argv.size()), argv.data());
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

TEST(SecretArguments, AreOverwrittenInEverySpelling) {
  EXPECT_EQ(wiped({"--influx-token=hush", "run"}), "virtmeter --influx-token=**** run");
  EXPECT_EQ(wiped({"run", "--influx-token", "hush"}), "virtmeter run --influx-token ****");
  EXPECT_EQ(wiped({"--set", "influx_token=hush", "run"}), "virtmeter --set influx_token=**** run");
  EXPECT_EQ(wiped({"--set=influx_token=hush"}), "virtmeter --set=influx_token=****");
  EXPECT_EQ(wiped({"--set", " influx_token = hush"}), "virtmeter --set  influx_token =*****");
  EXPECT_EQ(wiped({"--influx-token=a=b"}), "virtmeter --influx-token=***");
}

TEST(SecretArguments, LeaveEverythingElseAlone) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"run"},
        {"--set"},
        {"--influx-token"},
        {"--set", "influx_token"},
        {"--set", "log_level=debug", "--influx-token-file", "/a=b", "--influx-url=http://h"}}) {
    std::string want = "virtmeter";
    for (const std::string& word : words) want += " " + word;
    EXPECT_EQ(wiped(words), want);
  }
}

}  // namespace
}  // namespace virtmeter
