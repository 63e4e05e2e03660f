// Runs a command line in this process and keeps what it prints. For tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"

namespace virtmeter {

struct Ran {
  ExitCode code = ExitCode::bug;
  std::string out;
  std::string err;
};

inline Ran run_words(std::vector<const char*> words) {
  words.insert(words.begin(), "virtmeter");
  const ParsedCommandLine parsed = parse_command_line(static_cast<int>(words.size()), words.data());
  if (!parsed.command_line) return {parsed.exit_code, "", parsed.text};
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const ExitCode code = run_command(*parsed.command_line);
  const std::string err = testing::internal::GetCapturedStderr();
  return {code, testing::internal::GetCapturedStdout(), err};
}

}  // namespace virtmeter
