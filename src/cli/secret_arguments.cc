#include "cli/secret_arguments.h"

#include <cstring>
#include <string>
#include <string_view>

#include "base/text.h"
#include "config/options.h"

namespace virtmeter {
namespace {

void wipe(char* text) { std::memset(text, '*', std::strlen(text)); }

// "influx_token=..." behind --set.
void wipe_assignment(char* assignment) {
  char* const equals = std::strchr(assignment, '=');
  if (equals == nullptr) return;
  const std::string_view key = trimmed({assignment, static_cast<std::size_t>(equals - assignment)});
  const Option* const option = find_option(key);
  if (option != nullptr && type_of(*option) == OptionType::secret) wipe(equals + 1);
}

bool is_secret_flag(std::string_view word) {
  for (const Option& option : options()) {
    if (type_of(option) == OptionType::secret && flag_name(option) == word) return true;
  }
  return false;
}

}  // namespace

void wipe_secret_arguments(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    char* const equals = std::strchr(argv[i], '=');
    const std::string_view word(
        argv[i], equals == nullptr ? std::strlen(argv[i]) : static_cast<std::size_t>(equals - argv[i]));
    // The value stands in the same word, or in the next.
    char* const value = equals != nullptr ? equals + 1 : i + 1 < argc ? argv[i + 1] : nullptr;
    if (value == nullptr) continue;
    if (word == "--set") wipe_assignment(value);
    if (is_secret_flag(word)) wipe(value);
  }
}

}  // namespace virtmeter
