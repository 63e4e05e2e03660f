// Any bytes as a settings file: reading them ends, the number of problems is bounded, and what is said about
// them is fit for a terminal.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "config/file_layer.h"
#include "config/problem.h"
#include "input.h"

namespace virtmeter {
namespace {

bool is_fit_for_a_terminal(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

void check_settings(std::string_view text) {
  SettingsDraft draft;
  apply_file_text(text, "/etc/virtmeter/virtmeter.toml", 0, draft);
  // One more says that there may be more.
  CHECK(draft.problems.size() <= SettingsDraft::kProblemsMax + 1);
  sort_by_place(draft.problems);
  CHECK(is_fit_for_a_terminal(problems_for_terminal(draft.problems)));
  for (const std::string& line : problems_for_log(draft.problems)) {
    CHECK(is_fit_for_a_terminal(line));
    CHECK(line.find('\n') == std::string::npos);
  }
}

}  // namespace
}  // namespace virtmeter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  virtmeter::check_settings(virtmeter::fuzz::text_of(data, size));
  return 0;
}
